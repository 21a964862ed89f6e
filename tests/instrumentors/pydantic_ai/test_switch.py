"""Agents and tools record themselves without code, unless their application decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from instrumented import DISABLED, script
from instrumented import instrumented as run_instrumented
from opentelemetry.sdk.trace import ReadableSpan
from otlp_receiver import Receiver
from packaging.version import Version

from otel_agents.instrumentors.pydantic_ai import PydanticAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

SECRET = "canary-7c1f"

pytestmark = pytest.mark.skipif(
    Version(version("pydantic-ai-slim")) < Version("0.0.34"),
    reason="each agent decides, by an argument",
)


@pytest.fixture(autouse=True)
def agents() -> Iterator[Any]:
    """Return the class of agents; its default is the library's own afterwards."""
    kind: Any = import_module("pydantic_ai").Agent
    yield kind
    kind.instrument_all(False)


def run(agent: Any, model: ScriptedModel) -> None:
    call = ToolCall("get_weather", {"city": SECRET})
    model.script(Response(tool_calls=[call]), Response(f"{SECRET} is fine"))
    assert SECRET in agent.run_sync(f"How is {SECRET}?").output


def theirs(emission: Emission) -> list[ReadableSpan]:
    found: list[ReadableSpan] = []
    for span in emission.spans:
        scope = span.instrumentation_scope
        if scope is not None and scope.name == "pydantic-ai":
            found.append(span)
    return sorted(found, key=lambda span: span.start_time or 0)


def operations(emission: Emission) -> list[Any]:
    return [(span.attributes or {}).get("gen_ai.operation.name") for span in theirs(emission)]


@pytest.mark.usefixtures("instrumented")
def test_agents_model_calls_and_tools_are_one_trace(
    agent: Any, model: ScriptedModel, emission: Emission
) -> None:
    run(agent, model)
    assert operations(emission) == ["invoke_agent", "chat", "execute_tool", "chat"]
    assert len({span.context.trace_id for span in emission.spans if span.context}) == 1
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("with_content")
def test_content_follows_our_setting(agent: Any, model: ScriptedModel, emission: Emission) -> None:
    run(agent, model)
    (calls, _) = (
        span for span in theirs(emission) if "gen_ai.input.messages" in (span.attributes or {})
    )
    assert SECRET in str((calls.attributes or {})["gen_ai.input.messages"])


@pytest.mark.usefixtures("instrumented")
def test_what_the_application_sets_wins(
    agents: Any, agent: Any, model: ScriptedModel, emission: Emission
) -> None:
    own = Emission()
    settings = import_module("pydantic_ai.models.instrumented").InstrumentationSettings
    agents.instrument_all(settings(tracer_provider=own.tracer_provider))
    run(agent, model)
    assert operations(emission) == []
    assert operations(own) == ["invoke_agent", "chat", "execute_tool", "chat"]
    assert SECRET in own.texts()
    own.close()


@pytest.mark.usefixtures("instrumented")
def test_an_application_can_disable_it_for_all_agents_or_for_one(
    agents: Any, agent: Any, model: ScriptedModel, emission: Emission
) -> None:
    agent.instrument = False
    run(agent, model)
    agent.instrument = None
    agents.instrument_all(False)
    run(agent, model)
    assert operations(emission) == []
    assert len(emission.spans) == 4


def test_it_is_undone_unless_the_application_has_decided(
    agents: Any, instrument: Callable[..., None]
) -> None:
    before = agents._instrument_default
    instrument()
    assert agents._instrument_default is not before
    PydanticAIInstrumentor().uninstrument()
    assert agents._instrument_default is before is False
    instrument()
    agents.instrument_all(True)
    PydanticAIInstrumentor().uninstrument()
    assert agents._instrument_default is True
    instrument()
    assert agents._instrument_default is True
    PydanticAIInstrumentor().uninstrument()


PROGRAM = """
    from pydantic_ai import Agent

    print(Agent("openai:gpt-4o-mini", name="weather").run_sync("How?").output)
"""


@pytest.mark.parametrize("disabled", [True, False])
def test_under_the_command_it_is_enabled_unless_it_is_disabled_by_name(
    disabled: bool, model: ScriptedModel, tmp_path: Path
) -> None:
    others = "openai,openinference_pydantic_ai,pydantic_ai" if disabled else "openai"
    model.script(Response("Sunny."))
    with Receiver() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
            DISABLED: others,
        }
        done = run_instrumented(script(tmp_path, PROGRAM), variables, installed=True)
    assert (done.status, done.out, done.err) == (0, "Sunny.\n", "")
    expected = [] if disabled else ["chat gpt-4o-mini", "invoke_agent weather"]
    assert receiver.span_names == expected

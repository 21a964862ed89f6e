"""AG2's own ``TelemetryMiddleware`` or otel-agents records, not both, and tokens count once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from ag2_agents import CHAT, agent, calling, run, telemetry_middleware, tool, turn_of

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel, ToolCall

Instrument = Callable[..., None]
LOOK = ToolCall("look")


@tool
def look() -> str:
    """Look."""
    return "seen"


def tokens(emission: Emission) -> int:
    spans: list[Any] = [span for span in emission.spans if span.name.startswith("chat")]
    return sum(span.attributes["gen_ai.usage.input_tokens"] for span in spans)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(one.levelno, one.getMessage()) for one in caplog.records if one.name == "otel_agents"]


def plain(middleware: Any) -> Any:
    return middleware


def conditional(middleware: Any) -> Any:
    base: Any = import_module("ag2.middleware.base")
    return base.ConditionalMiddleware(middleware, import_module("ag2.events").BaseEvent)


@pytest.mark.parametrize("sdk", [True, False])
def test_ours_is_preferred_by_default_with_one_line(
    instrument: Instrument,
    config: Any,
    model: ScriptedModel,
    emission: Emission,
    ledger: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
    sdk: bool,
) -> None:
    caplog.set_level(logging.INFO, "otel_agents")
    instrument(sdk=sdk)
    model.script_by(calling(LOOK))
    own = telemetry_middleware(emission)

    async def main() -> None:
        guide = agent("Guide", config, tools=[look], middleware=[own])
        await (await guide.ask("Go", middleware=[conditional(own)])).ask("Again")

    run(main)
    expected = turn_of("Guide", CHAT, "execute_tool look", CHAT)
    assert emission.tree() == expected * 2
    line = (
        "otel-agents: ag2 is instrumented by otel-agents, so ag2.middleware.TelemetryMiddleware, "
        "which the application enables too, records nothing; set OTEL_AGENTS_PREFER=theirs to "
        "prefer it"
    )
    assert lines(caplog) == [(logging.INFO, line)]
    ledger()


@pytest.fixture
def theirs_preferred() -> Iterator[Callable[..., Emission]]:
    """Instrument with theirs preferred; the emission is not checked, as theirs does not conform."""
    emission = Emission()
    instrumentors: list[Any] = [AG2Instrumentor()]

    def instrument(*, sdk: bool = True) -> Emission:
        instrumentors.extend([OpenAIInstrumentor()] if sdk else [])
        settings = Settings.read({"OTEL_AGENTS_PREFER": "theirs"})
        for instrumentor in instrumentors:
            instrumentor.instrument(**emission.providers, settings=settings, skip_dep_check=False)
        return emission

    yield instrument
    for instrumentor in instrumentors:
        instrumentor.uninstrument()
    emission.close()


@pytest.mark.parametrize("sdk", [True, False])
@pytest.mark.parametrize("wrapped", [plain, conditional])
def test_theirs_records_if_preferred(
    config: Any,
    model: ScriptedModel,
    caplog: pytest.LogCaptureFixture,
    sdk: bool,
    wrapped: Any,
    theirs_preferred: Callable[..., Emission],
) -> None:
    caplog.set_level(logging.INFO, "otel_agents")
    emission = theirs_preferred(sdk=sdk)
    model.script_by(calling(LOOK))
    own = wrapped(telemetry_middleware(emission))
    run(lambda: agent("Guide", config, tools=[look], middleware=[own]).ask("Go"))
    ours = {"otel_agents.instrumentors.ag2", "otel_agents.instrumentors.openai"}
    spans: list[Any] = list(emission.spans)
    assert not [span.name for span in spans if span.instrumentation_scope.name in ours]
    names = [line for line in emission.tree() if "record_usage" not in line]
    assert [line.split(" gpt")[0] for line in names] == turn_of(
        "theirs", "chat", "execute_tool look", "chat"
    )
    assert tokens(emission) == model.ledger.input_tokens
    points = emission.points()["gen_ai.client.token.usage"]
    billed = model.ledger.input_tokens + model.ledger.output_tokens
    assert sum(total for _, total in points) == billed
    line = (
        "otel-agents: ag2 is instrumented by ag2.middleware.TelemetryMiddleware, which the "
        "application enables, so otel-agents records nothing of it; unset "
        "OTEL_AGENTS_PREFER to prefer otel-agents"
    )
    assert lines(caplog) == [(logging.INFO, line)]


def test_agents_without_their_middleware_are_recorded(
    config: Any, model: ScriptedModel, theirs_preferred: Callable[..., Emission]
) -> None:
    emission = theirs_preferred()
    model.script_by(calling(ToolCall("task_Scout", {"objective": "look"})))
    tools = [agent("Scout", config).as_tool(description="looks")]
    run(
        lambda: agent("Boss", config, tools=tools, middleware=[telemetry_middleware(emission)]).ask(
            "Go"
        )
    )
    names = [line.split(" gpt")[0] for line in emission.tree() if "record_usage" not in line]
    inner = ["execute_tool task_Scout", *("  " + line for line in turn_of("Scout", "chat"))]
    assert names == turn_of("theirs", "chat", *inner, "chat")
    assert tokens(emission) == model.ledger.input_tokens

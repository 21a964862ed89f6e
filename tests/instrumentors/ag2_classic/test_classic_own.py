"""An application that asks for AG2's own telemetry, too: nothing is recorded twice."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from conversations import CHAT, agent, executor, talk, turn_of

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

THEIRS = "opentelemetry.instrumentation.ag2"


def ask_for_theirs(emission: Emission, *agents: Any, models: bool = True) -> None:
    theirs: Any = import_module("autogen.opentelemetry")
    if models:
        theirs.instrument_llm_wrapper(tracer_provider=emission.tracer_provider)
    for one in agents:
        assert theirs.instrument_agent(one, tracer_provider=emission.tracer_provider) is one


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "otel_agents"]


@pytest.fixture
def unwrapped() -> Any:
    """Takes away what theirs leaves on a class for good."""
    wrapper: Any = import_module("autogen.oai.client").OpenAIWrapper
    original = wrapper.create
    yield wrapper
    wrapper.create = original


@pytest.mark.usefixtures("unwrapped")
def test_ours_stands_and_one_line_says_so(
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
    caplog: pytest.LogCaptureFixture,
) -> None:
    instrument()
    user, assistant = executor(), agent("assistant", model)
    ask_for_theirs(emission, user, assistant)
    assert "generate_reply" not in vars(assistant)
    talk(user, assistant, max_turns=1)
    assert emission.tree() == ["invoke_workflow", *turn_of("assistant", CHAT)]
    assert lines(caplog) == [
        (
            "otel-agents: ag2_classic is instrumented by otel-agents, so autogen.opentelemetry, "
            "which the application enables too, records nothing; set OTEL_AGENTS_PREFER=theirs to "
            "prefer it"
        )
    ]


@pytest.mark.usefixtures("unwrapped")
def test_it_is_turned_round(
    instrument: Callable[..., None], model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    emission = Emission()  # theirs does not conform
    instrument(emission=emission, OTEL_AGENTS_PREFER="theirs")
    user, assistant = executor(), agent("assistant", model)
    ask_for_theirs(emission, user, assistant)
    talk(user, assistant, max_turns=1)
    told = [
        (s.name, s.instrumentation_scope and s.instrumentation_scope.name) for s in emission.spans
    ]
    names = [CHAT, "invoke_agent assistant", "conversation user"]
    assert told == [(name, THEIRS) for name in names]
    assert lines(caplog) == [
        (
            "otel-agents: ag2_classic is instrumented by autogen.opentelemetry, which the "
            "application enables, so otel-agents records nothing of it; unset "
            "OTEL_AGENTS_PREFER to prefer otel-agents"
        )
    ]
    emission.close()


@pytest.mark.usefixtures("unwrapped")
@pytest.mark.parametrize("prefer", ["ours", "theirs"])
def test_with_a_provider_of_its_own_it_records_there_and_ours_stands_beside(
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
    caplog: pytest.LogCaptureFixture,
    prefer: str,
) -> None:
    own = Emission()
    instrument(OTEL_AGENTS_PREFER=prefer)
    user, assistant = executor(), agent("assistant", model)
    ask_for_theirs(own, user, assistant)
    talk(user, assistant, max_turns=1)
    assert emission.tree() == ["invoke_workflow", *turn_of("assistant", CHAT)]
    theirs = ["conversation user", "  invoke_agent assistant", f"    {CHAT}"]
    assert own.tree() == theirs
    assert len({span.context and span.context.trace_id for span in own.spans}) == 1
    assert lines(caplog) == []
    own.close()


def test_wrong_arguments_are_told_as_ever(instrumented: None) -> None:
    theirs: Any = import_module("autogen.opentelemetry")
    with pytest.raises(TypeError, match="tracer_provider"):
        theirs.instrument_llm_wrapper()

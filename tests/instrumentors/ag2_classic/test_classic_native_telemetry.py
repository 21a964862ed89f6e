"""An application that enables AG2's own telemetry as well: nothing is recorded twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from conversations import CHAT, agent, executor, talk, turn_of

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

THEIRS = "opentelemetry.instrumentation.ag2"


def enable_theirs(emission: Emission, *agents: Any, models: bool = True) -> None:
    theirs: Any = import_module("autogen.opentelemetry")
    if models:
        theirs.instrument_llm_wrapper(tracer_provider=emission.tracer_provider)
    for one in agents:
        assert theirs.instrument_agent(one, tracer_provider=emission.tracer_provider) is one


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "otel_agents"]


@pytest.fixture
def restored_wrapper() -> Any:
    """Restore the class that AG2's telemetry patches for good."""
    wrapper: Any = import_module("autogen.oai.client").OpenAIWrapper
    original = wrapper.create
    yield wrapper
    wrapper.create = original


@pytest.mark.usefixtures("restored_wrapper")
def test_ours_is_preferred_by_default_with_one_line(
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "otel_agents")
    instrument()
    user, assistant = executor(), agent("assistant", model)
    enable_theirs(emission, user, assistant)
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


@pytest.mark.usefixtures("restored_wrapper")
def test_theirs_records_if_preferred(
    instrument: Callable[..., None], model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "otel_agents")
    emission = Emission()  # theirs does not conform
    instrument(emission=emission, OTEL_AGENTS_PREFER="theirs")
    user, assistant = executor(), agent("assistant", model)
    enable_theirs(emission, user, assistant)
    talk(user, assistant, max_turns=1)
    recorded = [
        (s.name, s.instrumentation_scope and s.instrumentation_scope.name) for s in emission.spans
    ]
    names = [CHAT, "invoke_agent assistant", "conversation user"]
    assert recorded == [(name, THEIRS) for name in names]
    assert lines(caplog) == [
        (
            "otel-agents: ag2_classic is instrumented by autogen.opentelemetry, which the "
            "application enables, so otel-agents records nothing of it; unset "
            "OTEL_AGENTS_PREFER to prefer otel-agents"
        )
    ]
    emission.close()


@pytest.mark.usefixtures("restored_wrapper")
@pytest.mark.parametrize("prefer", ["ours", "theirs"])
def test_with_its_own_provider_both_record(
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
    caplog: pytest.LogCaptureFixture,
    prefer: str,
) -> None:
    own = Emission()
    instrument(OTEL_AGENTS_PREFER=prefer)
    user, assistant = executor(), agent("assistant", model)
    enable_theirs(own, user, assistant)
    talk(user, assistant, max_turns=1)
    assert emission.tree() == ["invoke_workflow", *turn_of("assistant", CHAT)]
    theirs = ["conversation user", "  invoke_agent assistant", f"    {CHAT}"]
    assert own.tree() == theirs
    assert len({span.context and span.context.trace_id for span in own.spans}) == 1
    assert lines(caplog) == []
    own.close()


def test_wrong_arguments_raise_as_before(instrumented: None) -> None:
    theirs: Any = import_module("autogen.opentelemetry")
    with pytest.raises(TypeError, match="tracer_provider"):
        theirs.instrument_llm_wrapper()

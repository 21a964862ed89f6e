"""AutoGen's own spans: ours replace them, unless those of messages are enabled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, VERSION, assistant, fails_with, round_robin, turn
from opentelemetry import trace
from packaging.version import Version

from otel_agents.instrumentors.autogen import AutoGenInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

core: Any = import_module("autogen_core")
OLD = not hasattr(core, "trace_tool_span")
SILENT = Version("0.5") > VERSION
"""Early versions have no default provider."""
SECRET = "planted-secret"
SWITCH = "AUTOGEN_DISABLE_RUNTIME_TRACING"
TREE = ["invoke_workflow", *turn("first", CHAT, "execute_tool broken")]


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emission]:
    """Return the spans of the global provider, which AutoGen uses."""
    emission = Emission()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", emission.tracer_provider)
    monkeypatch.delenv(SWITCH, raising=False)
    yield emission
    emission.close()


def broken(city: str) -> str:
    """Fail."""
    raise LookupError(SECRET)


async def ran(client: Any, model: ScriptedModel, **more: Any) -> None:
    model.script(Response(tool_calls=[ToolCall("broken", {"city": SECRET})]))
    await round_robin(assistant("first", client, tools=[broken]), turns=1, **more).run(task=SECRET)


def test_only_our_spans_are_emitted(
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrumented: None,
    theirs: Emission,
) -> None:
    run(ran(client, model))
    assert emission.tree() == TREE
    assert theirs.names == []


def test_an_application_that_traces_by_the_same_functions_keeps_its_spans(
    instrumented: None, theirs: Emission
) -> None:
    if not OLD:
        with core.trace_tool_span("mine"):
            pass
    assert theirs.names == ([] if OLD else ["execute_tool mine"])


def test_enabled_spans_of_messages_have_no_content(
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrumented: None,
    theirs: Emission,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SWITCH, "false")
    run(ran(client, model))
    names = theirs.names
    assert all(name.startswith("autogen ") for name in names)
    assert bool(names) is not SILENT
    assert SECRET not in theirs.texts()
    assert sorted(emission.names) == sorted(line.strip() for line in TREE)
    assert SECRET not in emission.texts()


def test_the_error_of_a_handler_is_recorded_without_its_text(
    run: Any, emission: Emission, instrumented: None, theirs: Emission
) -> None:
    """The runtime has a provider, so its spans are enabled."""
    run(fails_with(SECRET, theirs.tracer_provider))
    assert "autogen send failing.(default)-A" in theirs.names
    assert SECRET not in theirs.texts()


def test_uninstrument_restores_everything(
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
    theirs: Emission,
) -> None:
    instrument()
    AutoGenInstrumentor().uninstrument()
    run(ran(client, model))
    assert emission.names == [CHAT]  # the SDK is instrumented still
    kinds = {name.split()[0] for name in theirs.names}
    named = {"broken"} if OLD else {"create_agent", "invoke_agent", "execute_tool"}
    assert kinds == (set() if SILENT else {"autogen", *named})

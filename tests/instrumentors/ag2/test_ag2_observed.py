"""Observe, never change: a turn returns, sends and stores the same with and without otel-agents."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ag2_agents import ag2, agent, calling, run, tool, turn_of
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel, ToolCall

Instrument = Callable[..., None]


@tool
def look() -> str:
    """Look."""
    return "seen"


@tool
def fall() -> str:
    """Fall."""
    raise LookupError("down")


def observable_result(model: ScriptedModel, config: Any) -> tuple[Any, ...]:
    """Run a turn and return everything that an application can observe."""
    model.ledger.clear()
    model.script_by(calling(ToolCall("look", id="call-1"), ToolCall("fall", id="call-2")))
    guide = agent("Guide", config, tools=[look, fall])

    async def main() -> Any:
        reply = await guide.ask("Go")
        events = await reply.history.get_events()
        kinds = sorted(type(event).__name__ for event in events)
        usage = await reply.usage()
        return (type(reply), reply.body, kinds, type(usage), len(guide._middleware))

    seen: Any = run(main)
    return (*seen, [entry.body["messages"][0] for entry in model.ledger.entries])


def test_a_turn_has_the_same_result(
    instrument: Instrument, model: ScriptedModel, config: Any, emission: Emission
) -> None:
    scope: Any = inspect.getattr_static(ag2.Agent, "_turn_scope")
    before, signature = observable_result(model, config), inspect.signature(scope)
    instrument()
    during = observable_result(model, config)
    patched: Any = inspect.getattr_static(ag2.Agent, "_turn_scope")
    assert patched is not scope
    assert inspect.signature(patched) == signature
    assert before == during
    assert len(emission.spans) == 5


def test_a_patched_client_pickles(instrument: Instrument) -> None:
    client: Any = import_module("ag2.config.openai.openai_client").OpenAIClient
    instrument()
    assert inspect.iscoroutinefunction(client.__call__)
    assert pickle.loads(pickle.dumps(client.__call__)) is client.__call__


def test_nothing_is_recorded_after_uninstrument(
    config: Any, model: ScriptedModel, emission: Emission
) -> None:
    scope: Any = inspect.getattr_static(ag2.Agent, "_turn_scope")
    instrumentor = AG2Instrumentor()
    instrumentor.instrument(**emission.providers, settings=Settings.read({}), skip_dep_check=False)
    instrumentor.uninstrument()
    assert inspect.getattr_static(ag2.Agent, "_turn_scope") is scope
    observable_result(model, config)
    assert emission.spans == ()


def test_nothing_is_recorded_while_suppressed(
    instrument: Instrument, config: Any, model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    with suppress_instrumentation():
        observable_result(model, config)
    assert emission.spans == ()


def test_unsampled_calls_have_metrics(config: Any, model: ScriptedModel) -> None:
    emission = Emission(ALWAYS_OFF)
    instrumentor = AG2Instrumentor()
    instrumentor.instrument(**emission.providers, settings=Settings.read({}), skip_dep_check=False)
    observable_result(model, config)
    instrumentor.uninstrument()
    points = emission.points()["gen_ai.client.token.usage"]
    billed = model.ledger.input_tokens + model.ledger.output_tokens
    assert sum(total for _, total in points) == billed
    assert emission.spans == ()
    emission.close()


def test_a_background_agent(
    instrument: Instrument, config: Any, model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    subagents: Any = import_module("ag2.tools.subagents")
    scout = agent("Scout", config)
    looks = subagents.background_agent_tool(scout, description="looks", name="look_later")
    model.script_by(calling(ToolCall("look_later", {"objective": "look"})))

    async def main() -> None:
        reply = await agent("Boss", config, tools=[looks]).ask("Go")
        await asyncio.gather(*reply.context.stream._background_tasks)

    run(main)
    assert emission.traces() == 1
    lines = emission.tree()
    nested = ["    " + line for line in turn_of("Scout")]
    started = lines.index("  execute_tool look_later")
    assert lines[started + 1 : started + 3] == nested

"""One run, one trace: every way to start a turn, with each child under its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import pytest
from ag2_agents import (
    CHAT,
    TRAINS,
    agent,
    attributes,
    calling,
    conversations,
    find_trains,
    run,
    span_named,
    turn_of,
)
from opentelemetry import trace

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

Check = Callable[[], None]


def test_every_target_exists() -> None:
    import_module("ag2.network")
    import_module("ag2.middleware.builtin.telemetry")
    assert str(AG2Instrumentor().report()) == "14 of 14 applied"


def test_one_turn(config: Any, model: ScriptedModel, emission: Emission, ledger: Check) -> None:
    async def main() -> tuple[str, str]:
        reply = await agent("Guide", config).ask("Where to?")
        assert type(reply) is import_module("ag2.agent").AgentReply
        return reply.body, str(reply.context.stream.id)

    body, stream = run(main)
    assert body == "done"
    assert emission.tree() == turn_of("Guide")
    assert attributes(emission, "invoke_agent Guide") == [
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "Guide",
            "gen_ai.conversation.id": stream,
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": model.ledger.input_tokens,
            "gen_ai.usage.output_tokens": model.ledger.output_tokens,
            "otel_agents.turn": 1,
        }
    ]
    ledger()


def test_turns_of_one_conversation_are_traces_with_its_id(
    config: Any, emission: Emission, ledger: Check
) -> None:
    async def main() -> None:
        reply = await agent("Guide", config).ask("Where to?")
        await (await reply.ask("And then?")).ask("And then?")

    run(main)
    assert emission.tree() == turn_of("Guide") * 3
    assert emission.traces() == 3
    turns = attributes(emission, "invoke_agent Guide")
    assert [turn["otel_agents.turn"] for turn in turns] == [1, 2, 3]
    assert len({span["gen_ai.conversation.id"] for span in turns}) == 1
    assert [span["gen_ai.conversation.id"] for span in attributes(emission, CHAT)] == [
        span["gen_ai.conversation.id"] for span in turns
    ]
    ledger()


class CustomStorage(import_module("ag2.history").MemoryStorage):
    """A custom storage, to which other processes may write as well."""


def test_turns_are_numbered_where_the_history_is_local(config: Any, emission: Emission) -> None:
    stream: Any = import_module("ag2.stream").MemoryStream

    async def main() -> None:
        local, shared = stream(), stream(CustomStorage())
        for kept in (local, shared, local, stream(local.history.storage, id=local.id)):
            await agent("Guide", config).ask("Where to?", stream=kept)

    run(main)
    numbers = [turn.get("otel_agents.turn") for turn in attributes(emission, "invoke_agent Guide")]
    assert numbers == [1, None, 2, 3]
    assert len(conversations(emission)) == 2


def test_runs_that_start_later(config: Any, emission: Emission, ledger: Check) -> None:
    async def main() -> None:
        guide = agent("Guide", config)
        async with guide.run("Where to?") as started:
            started.start()
            await started.result()
        async with guide.run("Where to?") as awaited:
            await awaited.result()
        async with guide.run("never driven"):
            pass

    run(main)
    assert emission.tree() == turn_of("Guide") * 2
    ledger()


def test_a_resumed_turn(config: Any, emission: Emission, ledger: Check) -> None:
    events: Any = import_module("ag2.events")

    async def main() -> str:
        request = events.ModelRequest.ensure_request(["Where to?"])
        return (await agent("Guide", config).resume(request)).body

    assert run(main) == "done"
    assert emission.tree() == turn_of("Guide")
    ledger()


def test_two_agents_at_once(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check
) -> None:
    model.script_by(calling(TRAINS))

    async def main() -> None:
        guides = [agent(name, config, tools=[find_trains]) for name in ("A", "B")]
        await asyncio.gather(*(guide.ask("Where to?") for guide in guides))

    run(main)
    assert emission.traces() == 2
    turns = [turn_of(name, CHAT, "execute_tool find_trains", CHAT) for name in ("A", "B")]
    assert emission.tree() in (turns[0] + turns[1], turns[1] + turns[0])
    ledger()


def test_agents_in_application_threads(config: Any, emission: Emission, ledger: Check) -> None:
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(run, lambda: agent("Guide", config).ask("Go")) for _ in range(2)]
        for one in futures:
            one.result()
    assert emission.traces() == 2
    assert emission.tree() == turn_of("Guide") * 2
    ledger()


def test_turns_in_a_server_request(config: Any, emission: Emission) -> None:
    tracer = emission.tracer_provider.get_tracer("server")

    async def handle(guide: Any) -> None:
        with tracer.start_as_current_span("request"):
            await guide.ask("Where to?")
            assert getattr(trace.get_current_span(), "name", None) == "request"

    async def main() -> None:
        guide = agent("Guide", config)
        await asyncio.gather(handle(guide), handle(guide))

    run(main)
    assert emission.traces() == 2
    assert emission.tree() == ["request", *("  " + line for line in turn_of("Guide"))] * 2


@pytest.mark.parametrize("streaming", [False, True])
def test_a_response_schema_with_a_retry(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check, streaming: bool
) -> None:
    config.streaming = streaming
    model.script('{"data": "many"}', '{"data": 42}')

    async def main() -> int:
        reply = await agent("Guide", config, response_schema=int).ask("How many?")
        return await reply.content(retries=1)

    assert run(main) == 42
    assert emission.tree() == turn_of("Guide") * 2
    assert emission.traces() == 2
    assert len(conversations(emission)) == 1
    ledger()


def test_streamed_chunks_reach_subscribers(config: Any, emission: Emission, ledger: Check) -> None:
    config.streaming = True
    events: Any = import_module("ag2.events")
    chunks: list[str] = []

    async def main() -> None:
        async with agent("Guide", config).run("Where to?") as running:
            running.stream.where(events.ModelMessageChunk).subscribe(keep)
            await running.result()

    def keep(event: Any) -> None:
        chunks.append(event.content)

    keep.__annotations__["event"] = events.ModelMessageChunk
    run(main)
    assert "".join(chunks) == "done"
    assert span_named(emission, "invoke_agent Guide").status.is_unset
    ledger()

"""The end of a network's message: after a failure, a hub that closes, a human who leaves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from importlib import import_module
from threading import Event
from typing import Any

import pytest
from ag2_agents import CHAT, agent, run, span_named, turn_of
from ag2_networks import WORKFLOW, network, opened, under, until

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel


@pytest.mark.usefixtures("instrumented")
def test_a_turn_that_fails_ends_what_it_was_for(
    config: Any, model: ScriptedModel, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)

    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            steps = net.graph(("human", "a"), ("a", "b"))
            await (await opened(net, "workflow", "a", "b", knobs=steps)).send("Go")
            await until(lambda: WORKFLOW in emission.names)

    model.script("fine", Failure(400, message="planted-secret"))
    run(main)
    assert emission.tree() == under(WORKFLOW, *turn_of("a"), "handoff b", *turn_of("b"))
    failed = span_named(emission, "invoke_agent b")
    assert failed.attributes["error.type"] == "openai.BadRequestError"
    assert "planted-secret" not in emission.texts()


class Held:
    """A model that answers when it is let go."""

    def __init__(self) -> None:
        self.asked, self.go = Event(), Event()

    def __call__(self, request: Any) -> Response:
        self.asked.set()
        self.go.wait(5)
        return Response("late")

    async def reached(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.asked.wait, 5)


@pytest.fixture
def held(model: ScriptedModel) -> Iterator[Held]:
    model.script_by(holding := Held())
    yield holding
    holding.go.set()


@pytest.mark.usefixtures("instrumented")
def test_what_is_on_the_way_ends_when_the_hub_is_closed(
    config: Any, emission: Emission, held: Held
) -> None:
    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            steps = net.graph(("human", "a"), ("a", "b"))
            channels = [await opened(net, "workflow", "a", "b", knobs=steps) for _ in range(2)]
            for channel in channels:  # the second message waits for the first one's turn
                await channel.send("Go")
            await held.reached()

    run(main)
    assert sorted(emission.tree()) == sorted([*under(WORKFLOW, *turn_of("a")), WORKFLOW])
    assert span_named(emission, CHAT).attributes["error.type"].endswith("CancelledError")


@pytest.mark.usefixtures("instrumented")
def test_nobody_waits_for_who_has_left(config: Any, emission: Emission, held: Held) -> None:
    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            steps = net.graph(("human", "a"), ("a", "b"))
            await (await opened(net, "workflow", "a", "b", knobs=steps)).send("Go")
            await held.reached()
            await net.human.hub_client.close()
            held.go.set()
            await until(lambda: WORKFLOW in emission.names)

    run(main)
    assert emission.tree() == under(WORKFLOW, *turn_of("a"), "handoff b", *turn_of("b"))


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(
    ("module", "table", "limit", "messages"),
    [("_runs", "RUNS", 1, 2), ("_networks", "_HANDLING", 0, 1)],
)
def test_a_run_that_makes_room_ends(
    config: Any,
    emission: Emission,
    held: Held,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    table: str,
    limit: int,
    messages: int,
) -> None:
    """By itself, or by its only message."""
    holder: Any = import_module(f"otel_agents.instrumentors.ag2.{module}")
    monkeypatch.setattr(getattr(holder, table), "_limit", limit)

    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            steps = net.graph(("human", "a"))
            every = [await opened(net, "workflow", "a", "b", knobs=steps) for _ in range(messages)]
            for channel in every:
                await channel.send("Go")
            await held.reached()
            assert emission.names == [WORKFLOW]

    run(main)

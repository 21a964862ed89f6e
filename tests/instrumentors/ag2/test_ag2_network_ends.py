"""How network runs end: by a failure, by closing the hub, by a human who leaves, by eviction."""

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
def test_a_failing_turn_ends_the_workflow(
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


class BlockedModel:
    """A model that responds once it is released."""

    def __init__(self) -> None:
        self.called, self.release = Event(), Event()

    def __call__(self, request: Any) -> Response:
        self.called.set()
        self.release.wait(5)
        return Response("late")

    async def wait_for_call(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.called.wait, 5)


@pytest.fixture
def blocked_model(model: ScriptedModel) -> Iterator[BlockedModel]:
    model.script_by(blocked := BlockedModel())
    yield blocked
    blocked.release.set()


@pytest.mark.usefixtures("instrumented")
def test_closing_the_hub_ends_open_runs(
    config: Any, emission: Emission, blocked_model: BlockedModel
) -> None:
    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            steps = net.graph(("human", "a"), ("a", "b"))
            channels = [await opened(net, "workflow", "a", "b", knobs=steps) for _ in range(2)]
            for channel in channels:  # the second message waits for the first one's turn
                await channel.send("Go")
            await blocked_model.wait_for_call()

    run(main)
    assert sorted(emission.tree()) == sorted([*under(WORKFLOW, *turn_of("a")), WORKFLOW])
    assert span_named(emission, CHAT).attributes["error.type"].endswith("CancelledError")


@pytest.mark.usefixtures("instrumented")
def test_a_human_who_has_left_is_not_awaited(
    config: Any, emission: Emission, blocked_model: BlockedModel
) -> None:
    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            steps = net.graph(("human", "a"), ("a", "b"))
            await (await opened(net, "workflow", "a", "b", knobs=steps)).send("Go")
            await blocked_model.wait_for_call()
            await net.human.hub_client.close()
            blocked_model.release.set()
            await until(lambda: WORKFLOW in emission.names)

    run(main)
    assert emission.tree() == under(WORKFLOW, *turn_of("a"), "handoff b", *turn_of("b"))


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(
    ("module", "table", "limit", "messages"),
    [("_network_runs", "RUNS", 1, 2), ("_networks", "_DELIVERIES", 0, 1)],
)
def test_an_evicted_run_ends(
    config: Any,
    emission: Emission,
    blocked_model: BlockedModel,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    table: str,
    limit: int,
    messages: int,
) -> None:
    """Either the run itself is evicted or its only delivery."""
    holder: Any = import_module(f"otel_agents.instrumentors.ag2.{module}")
    monkeypatch.setattr(getattr(holder, table), "_limit", limit)

    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            steps = net.graph(("human", "a"))
            channels = [
                await opened(net, "workflow", "a", "b", knobs=steps) for _ in range(messages)
            ]
            for channel in channels:
                await channel.send("Go")
            await blocked_model.wait_for_call()
            assert emission.names == [WORKFLOW]

    run(main)

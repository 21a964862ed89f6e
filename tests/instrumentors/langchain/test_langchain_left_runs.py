"""Runs that are left, cancelled or shielded: they end, and nothing of ours stays behind."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda
from langchain_graphs import CHAT, LANGGRAPH, State, compiled
from opentelemetry import context
from packaging.version import Version

from otel_agents.instrumentors import hosting
from otel_agents.instrumentors.langchain._runs import ROOTS, RUNS
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop
EMPTY: dict[str, Any] = {"steps": []}
INHERITS = sys.version_info >= (3, 11)
"""Whether LangChain passes the run of an async node on to what the node calls; if not, that is a run
of its own, which ends by itself."""
CANCELS = pytest.mark.skipif(Version("0.2") > LANGGRAPH, reason="nodes outlive a cancelled graph")


class Gate:
    """A node that waits until it is opened."""

    def __init__(self) -> None:
        self.entered, self.open = asyncio.Event(), asyncio.Event()

    async def node(self, state: State) -> Any:
        self.entered.set()
        await self.open.wait()
        return {"steps": ["node"]}

    def graph(self) -> Any:
        return compiled(("node", self.node), name="g")


async def invoked(graph: Any) -> None:
    await graph.ainvoke(EMPTY)


async def streamed(graph: Any) -> None:
    async for _ in graph.astream(EMPTY):
        pass


async def events(graph: Any) -> None:
    async for _ in graph.astream_events(EMPTY, version="v2"):
        pass


WAYS = pytest.mark.parametrize("way", [invoked, streamed, events])
Way = Callable[[Any], Coroutine[Any, Any, None]]


def errors(emission: Emission) -> list[Any]:
    return [(span.attributes or {}).get("error.type") for span in emission.spans]


def test_the_context_is_as_it_was(loop: Loop, emission: Emission) -> None:
    before = dict(context.get_current())

    async def run() -> dict[str, object]:
        gate = Gate()
        gate.open.set()
        await invoked(gate.graph())
        return dict(context.get_current())

    assert loop.run_until_complete(run()) == before
    assert dict(context.get_current()) == before


@WAYS
def test_a_shielded_run_goes_on_after_its_caller_was_cancelled(
    way: Way, loop: Loop, emission: Emission
) -> None:
    async def run() -> None:
        gate = Gate()
        running = asyncio.ensure_future(way(gate.graph()))

        async def shielded() -> None:
            await asyncio.shield(running)

        caller = asyncio.ensure_future(shielded())
        await gate.entered.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert (len(RUNS) > 0, emission.spans) == (True, ())
        gate.open.set()
        await running

    loop.run_until_complete(run())
    assert [line.split()[0] for line in emission.tree()] == ["invoke_workflow", "node"]
    assert errors(emission) == [None, None]


@CANCELS
@WAYS
def test_what_a_cancelled_node_shields_ends_with_the_run(
    way: Way, loop: Loop, emission: Emission
) -> None:
    entered, go, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def inner(value: str) -> str:
        entered.set()
        await go.wait()
        done.set()
        return value

    async def node(state: State) -> Any:
        chain = RunnableLambda(inner) | RunnableLambda(inner)
        await asyncio.shield(chain.with_config(run_name="inner").ainvoke("hi"))

    async def run() -> None:
        running = asyncio.ensure_future(way(compiled(node, name="g")))
        await entered.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        shielded = len(RUNS)
        go.set()
        await done.wait()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)
        assert (shielded == 0 or not INHERITS, len(RUNS)) == (True, 0)

    loop.run_until_complete(run())
    assert [line.split()[0] for line in emission.tree()] == ["invoke_workflow", "node", "chain"]


def test_a_model_that_a_cancelled_node_shields_is_counted(
    llm: Any, loop: Loop, emission: Emission
) -> None:
    async def node(state: State) -> Any:
        calls.append(asyncio.ensure_future(llm.ainvoke("hi")))
        entered.set()
        await asyncio.shield(calls[0])

    calls: list[Any] = []
    entered = asyncio.Event()

    async def run() -> None:
        running = asyncio.ensure_future(invoked(compiled(node, name="g")))
        await entered.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await calls[0]

    loop.run_until_complete(run())
    assert emission.names.count(CHAT) == 1
    assert emission.traces() == 1


def test_a_task_that_runs_many_graphs_keeps_none(loop: Loop, emission: Emission) -> None:
    async def run() -> None:
        gate = Gate()
        gate.open.set()
        graph = gate.graph()
        for _ in range(5):
            await invoked(graph)
        task = asyncio.current_task()
        assert task is not None
        assert len(ROOTS[task]) == 1

    loop.run_until_complete(run())
    assert emission.names.count("node node") == 5


async def left_after_the_first_event(run: Any, value: Any, close: bool) -> None:
    stream = run.astream_events(value, version="v2")
    async for _ in stream:
        break
    if close:
        await stream.aclose()


@pytest.mark.parametrize("close", [True, False], ids=["closed", "dropped"])
def test_a_chain_that_is_left_after_the_first_event(
    close: bool, llm: Any, loop: Loop, emission: Emission
) -> None:
    async def run() -> None:
        await left_after_the_first_event(llm | StrOutputParser(), "hi", close)
        gc.collect()
        for _ in range(50):
            await asyncio.sleep(0)

    loop.run_until_complete(run())
    loop.run_until_complete(loop.shutdown_asyncgens())
    hosting.drain_streams(5)
    assert len(RUNS) == 0
    assert set(emission.names) <= {"invoke_workflow", CHAT}


@pytest.mark.parametrize("dropped", [False, True], ids=["closed", "dropped"])
def test_an_async_stream_in_a_shielded_task_that_is_left(
    dropped: bool, loop: Loop, emission: Emission
) -> None:
    async def read() -> None:
        gate = Gate()
        gate.open.set()
        await left_after_the_first_event(gate.graph(), EMPTY, close=not dropped)

    async def run() -> None:
        await asyncio.shield(asyncio.ensure_future(read()))
        gc.collect()
        for _ in range(50):
            await asyncio.sleep(0)

    loop.run_until_complete(run())
    loop.run_until_complete(loop.shutdown_asyncgens())
    hosting.drain_streams(5)
    assert len(RUNS) == 0
    assert not any(span.end_time is None for span in emission.spans)

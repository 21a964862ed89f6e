"""Blocks that are entered by ``with``."""

from __future__ import annotations

import asyncio
import copy
import gc
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest
from opentelemetry.context import get_current
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

from otel_agents import api
from otel_agents.instrumentors import carry, hosting
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("configured")


def attributes(emission: Emission) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in emission.spans]


@pytest.mark.usefixtures("with_content")
def test_each_block_is_the_operation_of_the_conventions(emission: Emission) -> None:
    with api.workflow("trip") as trip:
        trip.input("A trip, please.")
        with api.agent("planner", model="m-1", description="plans") as planner:
            planner.input([{"role": "user", "content": "To Bern."}])
            with api.tool("weather", call_id="c-1", description="asks the sky") as weather:
                weather.arguments({"city": "Bern"})
                weather.result(["sunny"])
            with api.retrieval("manuals", provider="pinecone", top_k=2) as search:
                search.query("trains")
                search.documents([{"id": "t.md", "score": 0.5}])
            with api.memory("create", store="s-1") as memory:
                memory.records(["likes trains"])
            with api.handoff("booker"):
                pass
            planner.output("Take the train.")
        with api.step("approve", type="human_input", number=1, count=2) as approval:
            approval.outcome("approved")
        trip.output({"train": 7})
    assert emission.tree() == [
        "invoke_workflow trip",
        "  invoke_agent planner",
        "    execute_tool weather",
        "    retrieval manuals",
        "    create_memory",
        "    handoff booker",
        "  human_input approve",
    ]
    assert attributes(emission) == [
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": "c-1",
            "gen_ai.tool.description": "asks the sky",
            "gen_ai.agent.name": "planner",
            "gen_ai.tool.call.arguments": '{"city":"Bern"}',
            "gen_ai.tool.call.result": '{"result":["sunny"]}',
        },
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": "manuals",
            "gen_ai.provider.name": "pinecone",
            "gen_ai.retrieval.top_k": 2,
            "gen_ai.retrieval.query.text": "trains",
            "gen_ai.retrieval.documents": '[{"id":"t.md","score":0.5}]',
        },
        {
            "gen_ai.operation.name": "create_memory",
            "gen_ai.memory.store.id": "s-1",
            "gen_ai.memory.record.count": 1,
            "gen_ai.memory.records": '[{"content":"likes trains"}]',
        },
        {
            "otel_agents.step.type": "handoff",
            "otel_agents.handoff.from": "planner",
            "otel_agents.handoff.to": "booker",
        },
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "planner",
            "gen_ai.agent.description": "plans",
            "gen_ai.request.model": "m-1",
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"To Bern."}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":'
            '"Take the train."}],"finish_reason":"stop"}]',
        },
        {
            "otel_agents.step.type": "human_input",
            "otel_agents.step.number": 1,
            "otel_agents.step.count": 2,
            "otel_agents.step.outcome": "approved",
        },
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "trip",
            "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":'
            '"A trip, please."}]}]',
            "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":'
            '"{\\"train\\":7}"}],"finish_reason":"stop"}]',
        },
    ]
    kinds = {span.name: span.kind for span in emission.spans}
    assert kinds.pop("retrieval manuals") is SpanKind.CLIENT
    assert {*kinds.values()} == {SpanKind.INTERNAL}
    handoff = {"otel_agents.handoff.from": "planner", "otel_agents.handoff.to": "booker"}
    assert emission.events == [("otel_agents.handoff", handoff)]


def test_by_default_no_content_is_recorded(emission: Emission) -> None:
    with api.agent("a") as run, api.tool("t") as tool, api.retrieval("d") as search:
        run.input("planted-secret")
        run.output("planted-secret")
        tool.arguments({"planted-secret": 1})
        tool.result("planted-secret")
        search.query("planted-secret")
        search.documents(["planted-secret"])
    with api.memory() as memory, api.inference(model="m") as call:
        memory.records(["planted-secret"])
        call.input("planted-secret")
        call.output("planted-secret")
    with pytest.raises(LookupError), api.step("s"):
        raise LookupError("planted-secret")
    assert "planted-secret" not in emission.texts()


def test_an_error_is_the_operations_and_goes_on(emission: Emission) -> None:
    error = LookupError("gone")
    with pytest.raises(LookupError) as raised, api.workflow("w"), api.agent("a"):
        raise error
    assert raised.value is error
    statuses = [span.status.status_code for span in emission.spans]
    assert statuses == [StatusCode.ERROR, StatusCode.ERROR]
    assert [it["error.type"] for it in attributes(emission)] == ["LookupError", "LookupError"]


def test_a_generator_that_is_closed_within_a_block_is_no_error(emission: Emission) -> None:
    def reading() -> Generator[int, None, None]:
        with api.agent("a"):
            yield 1

    before = get_current()
    items = reading()
    next(items)
    items.close()
    hosting.drain_streams(5)
    assert get_current() == before
    assert emission.span.status.status_code is StatusCode.UNSET
    assert (emission.span.attributes or {})["otel_agents.stream.abandoned"] is True


def test_a_generator_collected_in_other_work_leaves_that_works_context(emission: Emission) -> None:
    def reading() -> Generator[int, None, None]:
        with api.agent("a"):
            yield 1

    with api.workflow("above"):
        items = reading()
        next(items)
        before = get_current()
    with api.workflow("other"):
        inside = get_current()
        del items
        gc.collect()
        assert get_current() is inside
    assert before is not inside
    hosting.drain_streams(5)


def test_it_is_asynchronous_too(emission: Emission) -> None:
    async def request(name: str) -> None:
        async with api.agent(name):
            await asyncio.sleep(0)
            async with api.tool("t"):
                await asyncio.sleep(0)

    async def both() -> None:
        async with api.workflow("w"):
            await asyncio.gather(request("a"), request("b"))

    asyncio.run(both())
    assert emission.tree() == [
        "invoke_workflow w",
        *("  invoke_agent a", "    execute_tool t"),
        *("  invoke_agent b", "    execute_tool t"),
    ]


def test_it_reaches_threads_with_the_context(emission: Emission) -> None:
    def work() -> None:
        with api.tool("t"):
            pass

    with api.agent("a"), ThreadPoolExecutor(1) as pool:
        pool.submit(carry(work)).result()
    assert emission.tree() == ["invoke_agent a", "  execute_tool t"]


def test_one_block_can_be_entered_again_and_within_itself(emission: Emission) -> None:
    block = api.step("s")
    with block, block:
        pass
    with block:
        pass
    assert emission.tree() == ["step s", "  step s", "step s"]


@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize("order", ["first in, first out", "the other is untraced"])
def test_tasks_that_share_a_block_record_on_their_own(order: str, emission: Emission) -> None:
    """A service may keep its blocks in its module."""
    shared, who = api.agent("a"), api.identity(user="ada")
    references: dict[str, str] = {}
    untraced = order == "the other is untraced"

    async def request(name: str, within: Any, entered: asyncio.Event, other: asyncio.Event) -> None:
        outside = get_current()
        with within:
            with who, shared:
                entered.set()
                await other.wait()
                shared.input(name)
                references[name] = shared.reference()
            assert get_current_span() is get_current_span(outside) or untraced

    async def both() -> None:
        entered = {name: asyncio.Event() for name in ("one", "two")}
        left = asyncio.Event()

        async def first() -> None:
            await request(
                "one", nullcontext(), entered["one"], left if untraced else entered["two"]
            )
            left.set()

        async def second() -> None:
            await entered["one"].wait()
            if untraced:
                await request("two", api.untraced(), entered["two"], entered["one"])
                left.set()
            else:
                await request("two", nullcontext(), entered["two"], left)

        await asyncio.gather(first(), second())

    asyncio.run(both())
    names = ["one"] if untraced else ["one", "two"]
    inputs = [it["gen_ai.input.messages"] for it in attributes(emission)]
    assert [[name for name in ("one", "two") if name in text] for text in inputs] == [
        [name] for name in names
    ]
    spans = [f"{span.context.span_id:016x}" for span in emission.spans if span.context]
    assert [references[name].split("-")[2] for name in names] == spans
    assert references.get("two", "") != references["one"]


def test_the_span_is_the_current_one(emission: Emission) -> None:
    with api.agent("a"):
        current = get_current_span().get_span_context()
    assert emission.span.context == current


def test_a_block_that_was_left_records_nothing_and_does_not_fail(emission: Emission) -> None:
    with api.agent("a") as run:
        pass
    run.output("late")
    api.agent("never").input("entered")
    assert emission.names == ["invoke_agent a"]


@pytest.mark.usefixtures("with_content")
def test_what_is_recorded_is_not_changed_afterwards(emission: Emission) -> None:
    given = {"city": "Bern"}
    with api.tool("t") as tool:
        tool.arguments(given)
        given["city"] = "Basel"
    assert attributes(emission)[0]["gen_ai.tool.call.arguments"] == '{"city":"Bern"}'


def test_a_tool_without_a_name_gets_one(emission: Emission) -> None:
    with api.tool():
        pass
    assert emission.names == ["execute_tool unnamed"]


def test_suppressed_instrumentation_suppresses_blocks(emission: Emission) -> None:
    with suppress_instrumentation(), api.agent("a") as run:
        run.input("x")
        api.tool(copy.copy)([])
    assert emission.names == []


def test_an_agent_has_the_usage_of_its_own_calls(emission: Emission) -> None:
    with api.agent("a"):
        for tokens in (3, 4):
            with api.inference(model="m", provider="house") as call:
                call.usage(tokens, 1)
                call.response(finish_reason="stop")
    agent = attributes(emission)[-1]
    assert agent["gen_ai.usage.input_tokens"] == 7
    assert agent["gen_ai.usage.output_tokens"] == 2


def test_a_reference_after_a_shared_block_is_the_threads_own(emission: Emission) -> None:
    outer, inner, barrier = api.agent("a"), api.step("s"), threading.Barrier(2, timeout=30)

    def request() -> tuple[list[str], list[str]]:
        with outer:
            within = [outer.reference()]
            with inner:
                within.append(inner.reference())
                barrier.wait()
        barrier.wait()
        return within, [outer.reference(), inner.reference()]

    with ThreadPoolExecutor(2) as executor:
        futures = [executor.submit(request) for _ in range(2)]
        found = [future.result() for future in futures]
    assert [after for _, after in found] == [within for within, _ in found]
    assert len({it for within, _ in found for it in within}) == len(emission.spans) == 4
    assert outer.reference() in [within[0] for within, _ in found]  # this thread was in neither

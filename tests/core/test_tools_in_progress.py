"""The tool of a context: found by operations below it, and released at its end."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, TraceFlags

from otel_agents.instrumentors import (
    Call,
    ClaimedCall,
    CreateAgent,
    Embeddings,
    ExecuteCode,
    ExecuteTool,
    FetchResponse,
    Inference,
    InvokeAgent,
    InvokeRemoteAgent,
    InvokeWorkflow,
    McpRequest,
    Memory,
    Operation,
    Plan,
    Retrieval,
    Scope,
    Step,
    Telemetry,
    carry,
    scope_of,
    wrapped,
)
from otel_agents.semconv import values
from otel_agents.testing.emission import Emission

SERVER = ("toy.example", 443)
CHAT = values.Operation.CHAT


def found(scope: Scope) -> tuple[str, Any, bool] | None:
    tool = scope.tool
    return (tool.name, tool.operation, tool.enriched) if tool is not None else None


def test_a_tools_context_has_the_tool(telemetry: Telemetry) -> None:
    tool = ExecuteTool(telemetry, "search")
    assert found(scope_of(tool.context)) == ("search", tool, False)
    assert scope_of().tool is None
    tool.end()


def test_a_nested_tools_context_has_the_inner_tool(
    telemetry: Telemetry, emission: Emission
) -> None:
    outer = ExecuteTool(telemetry, "outer")
    inner = ExecuteTool(telemetry, "inner", parent=outer.context)
    code = ExecuteCode(telemetry, [], lambda result: (0, result), parent=inner.context)
    scopes = [scope_of(it.context) for it in (outer, inner, code)]
    names = [scope.tool.name for scope in scopes if scope.tool is not None]
    assert names == ["outer", "inner", "code_execution"]
    for operation in (code, inner, outer):
        operation.end()
    assert emission.tree() == [
        "execute_tool outer",
        "  execute_tool inner",
        "    execute_tool code_execution",
    ]


def test_operations_below_a_tool_find_it(telemetry: Telemetry) -> None:
    """A request of the Model Context Protocol finds it, and enriches it once."""
    tool = ExecuteTool(telemetry, "search")
    claimed = ClaimedCall(telemetry, CHAT, parent=tool.context)
    agent = InvokeAgent(telemetry, "ada", parent=claimed.context)
    request = McpRequest(telemetry, "tools/call", tool="search", parent=agent.context)
    scope = scope_of(request.context)
    assert found(scope) == ("search", tool, False)
    assert scope.tool is not None
    scope.tool.enriched = True
    assert found(scope_of(tool.context)) == ("search", tool, True)
    for operation in (request, agent, claimed, tool):
        operation.end()


@pytest.mark.parametrize("fails", [False, True])
def test_after_a_call_the_outer_tool_is_current_again(fails: bool, telemetry: Telemetry) -> None:
    seen: list[Any] = []

    def search() -> None:
        seen.append(found(scope_of()))
        if fails:
            raise LookupError

    def start(telemetry: Telemetry, call: Call) -> ExecuteTool:
        seen.append(ExecuteTool(telemetry, "search"))
        return seen[-1]

    def outer() -> None:
        with contextlib.suppress(LookupError):
            wrapped(search, telemetry, start)()
        seen.append(found(scope_of()))

    around = ExecuteTool(telemetry, "outer")
    carry(outer, around.context)()
    inner, inside, after = seen
    assert (inside, after) == (("search", inner, False), ("outer", around, False))
    assert scope_of().tool is None
    around.end()


def test_a_task_that_outlives_its_tool_still_knows_its_name(telemetry: Telemetry) -> None:
    def context_of_a_tool() -> Context:
        tool = ExecuteTool(telemetry, "search")
        tool.end()
        return tool.context

    kept = context_of_a_tool()
    gc.collect()
    assert found(scope_of(kept)) == ("search", None, False)


# Ended operations.

Make = Callable[[Telemetry], Operation]
OPERATIONS: dict[str, Make] = {
    "agent": lambda t: InvokeAgent(t, "ada"),
    "code": lambda t: ExecuteCode(t, [], lambda result: (0, result)),
    "create agent": lambda t: CreateAgent(t, "toy", server=SERVER),
    "embeddings": lambda t: Embeddings(t, values.Operation.EMBEDDINGS, "toy", "e", SERVER),
    "fetch": lambda t: FetchResponse(t, "toy", "r1", SERVER),
    "inference": lambda t: Inference(t, CHAT, "toy", "m", SERVER),
    "memory": lambda t: Memory(t, values.Operation.SEARCH_MEMORY),
    "plan": lambda t: Plan(t, "ada"),
    "remote agent": lambda t: InvokeRemoteAgent(t, "toy", server=SERVER),
    "request": lambda t: McpRequest(t, "tools/call", tool="search"),
    "retrieval": lambda t: Retrieval(t),
    "step": lambda t: Step(t, "task"),
    "tool": lambda t: ExecuteTool(t, "search"),
    "workflow": lambda t: InvokeWorkflow(t, "trip"),
}


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("make", OPERATIONS.values(), ids=OPERATIONS)
def test_an_ended_operation_is_freed_at_once(make: Make, telemetry: Telemetry) -> None:
    """It holds request and response, which may be large."""
    operation = make(telemetry)
    operation.failed(LookupError())
    alive = weakref.ref(operation)
    del operation
    assert alive() is None


def fails(held: list[weakref.ref[Any]]) -> None:
    """Raise, with something in the frame."""
    in_the_frame = Held()
    held.append(weakref.ref(in_the_frame))
    raise LookupError


async def afails(held: list[weakref.ref[Any]]) -> None:
    fails(held)


def fails_later(held: list[weakref.ref[Any]]) -> Iterator[int]:
    yield 1
    fails(held)


class Held:
    """A file, a connection: released with its frame."""


RAISED: dict[str, Callable[[Any], object]] = {
    "sync": lambda start: start(fails),
    "async": lambda start: start(afails).send(None),
    "generator": lambda start: list(start(fails_later)),
}


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("use", RAISED.values(), ids=RAISED)
def test_a_handled_error_is_freed_with_its_frames(
    use: Callable[[Any], object], telemetry: Telemetry, emission: Emission
) -> None:
    held: list[weakref.ref[Any]] = []

    def start(telemetry: Telemetry, call: Call) -> Step:
        return Step(telemetry, "task")

    with contextlib.suppress(LookupError):
        use(lambda function: wrapped(function, telemetry, start)(held))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]  one of three
    assert [reference() for reference in held] == [None]
    assert (emission.span.attributes or {})["error.type"] == "LookupError"


# Links.

LINKS = [
    Link(SpanContext(trace_id=1, span_id=2, is_remote=True, trace_flags=TraceFlags(1)), {"a": 1}),
    Link(SpanContext(trace_id=3, span_id=4, is_remote=False)),
]
Links = Sequence[Link] | None
LINKED: dict[str, Callable[[Telemetry, Links], Operation]] = {
    "agent": lambda t, links: InvokeAgent(t, "ada", links=links),
    "inference": lambda t, links: Inference(t, CHAT, "toy", "m", SERVER, links=links),
    "request": lambda t, links: McpRequest(t, "ping", server_side=True, links=links),
    "step": lambda t, links: Step(t, "task", links=links),
    "tool": lambda t, links: ExecuteTool(t, "search", links=links),
    "workflow": lambda t, links: InvokeWorkflow(t, "trip", links=links),
}


@pytest.mark.parametrize("make", LINKED.values(), ids=LINKED)
def test_a_span_has_its_operations_links(
    make: Callable[[Telemetry, Links], Operation], telemetry: Telemetry, emission: Emission
) -> None:
    for links in (LINKS, [], None):
        make(telemetry, links).failed(LookupError())
    found = [
        [(link.context.span_id, dict(link.attributes or {})) for link in span.links]
        for span in emission.spans
    ]
    assert found == [[(2, {"a": 1}), (4, {})], [], []]

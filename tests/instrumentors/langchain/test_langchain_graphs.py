"""Graphs as they ran: tasks, fan-out, retries, interrupts, errors, streams that are left."""

from __future__ import annotations

import asyncio
import gc
import sys
from importlib import import_module
from typing import Any, cast

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_graphs import CHAT, LANGGRAPH, State, attributes, compiled, graph
from opentelemetry import trace
from opentelemetry.trace import StatusCode
from packaging.version import Version

from otel_agents.instrumentors import hosting
from otel_agents.instrumentors.langchain._graphs import GRAPHS
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop
EMPTY: dict[str, Any] = {"steps": []}
FUNCTIONAL = pytest.mark.skipif(Version("0.2.62") > LANGGRAPH, reason="no functional API")
DYNAMIC = pytest.mark.skipif(Version("0.2.57") > LANGGRAPH, reason="no interrupt()")
REPORTED = pytest.mark.skipif(Version("1.1.7") > LANGGRAPH, reason="no callback for interrupts")


def library(name: str) -> Any:
    return import_module(f"langgraph.{name}")


def errors(emission: Emission) -> dict[str, object]:
    """Return the error type of each span that has one, by the span's name."""
    found = {span.name: (span.attributes or {}).get("error.type") for span in emission.spans}
    failed = {s.name for s in emission.spans if s.status.status_code is StatusCode.ERROR}
    assert failed == {name for name, error in found.items() if error is not None}
    return {name: error for name, error in found.items() if error is not None}


def raised_in(emission: Emission) -> list[str]:
    """Return the names of the spans with an exception event."""
    by_id = {span.context.span_id: span.name for span in emission.spans if span.context}
    return [by_id[log.log_record.span_id] for log in emission.logs]


def first(state: State) -> Any:
    return {"steps": ["first"]}


def second(state: State) -> Any:
    return {"steps": ["second"]}


def broken(state: State) -> Any:
    raise LookupError("secret")


# The functional API.


@FUNCTIONAL
def test_an_entrypoint_is_the_workflow_and_its_tasks_are_steps(emission: Emission) -> None:
    api = library("func")

    @api.task
    def half(number: int) -> int:
        return number // 2

    @api.task
    def quarter(number: int) -> int:
        return half(half(number).result()).result()

    @api.entrypoint()
    def shrink(number: int) -> int:
        return half(number).result() + quarter(number).result()

    assert shrink.invoke(8) == 6
    assert emission.tree() == [
        "invoke_workflow shrink",
        "  task half",
        "  task quarter",
        "    task half",
        "    task half",
    ]
    assert attributes(emission, "task quarter") == [{"otel_agents.step.type": "task"}]


@FUNCTIONAL
def test_tasks_have_no_number_in_any_run_of_a_thread(emission: Emission) -> None:
    api = library("func")

    @api.task
    def double(value: int) -> int:
        return 2 * value

    @api.entrypoint(checkpointer=library("checkpoint.memory").InMemorySaver())
    def twice(value: int) -> int:
        return double(value).result()

    for _ in range(2):
        twice.invoke(1, {"configurable": {"thread_id": "a"}})
    assert [it.get("otel_agents.step.number") for it in attributes(emission, "task double")] == (
        [None, None]
    )


@FUNCTIONAL
@pytest.mark.skipif(sys.version_info < (3, 11), reason="LangGraph cannot call tasks there")
def test_an_async_entrypoint(loop: Loop, emission: Emission) -> None:
    api = library("func")

    @api.task
    async def half(number: int) -> int:
        return number // 2

    @api.entrypoint()
    async def shrink(number: int) -> int:
        return sum(cast("list[int]", await asyncio.gather(half(number), half(number))))

    assert loop.run_until_complete(shrink.ainvoke(8)) == 8
    assert emission.tree() == ["invoke_workflow shrink", "  task half", "  task half"]


# Fan-out and retries.


def test_a_node_is_as_often_there_as_it_ran(emission: Emission) -> None:
    send = import_module("langgraph.constants" if Version("0.3") > LANGGRAPH else "langgraph.types")
    built = graph(first)
    built.add_node("worker", second)

    def fan_out(state: State) -> Any:
        return [send.Send("worker", EMPTY), send.Send("worker", EMPTY)]

    built.add_conditional_edges("first", fan_out, ["worker"])
    built.compile().invoke(EMPTY)
    assert emission.tree() == ["invoke_workflow", "  node first", "  node worker", "  node worker"]
    numbers = [it["otel_agents.step.number"] for it in attributes(emission, "node worker")]
    assert numbers == [2, 2]


@pytest.mark.skipif(Version("0.2") > LANGGRAPH, reason="no policy of a node")
def test_each_attempt_of_a_node_is_a_span(emission: Emission) -> None:
    policy: Any = library("types" if Version("0.3") < LANGGRAPH else "pregel.retry").RetryPolicy
    attempts: list[int] = []

    def flaky(state: State) -> Any:
        attempts.append(1)
        if len(attempts) == 1:
            raise LookupError
        return {"steps": ["flaky"]}

    retry = "retry_policy" if Version("0.5") <= LANGGRAPH else "retry"
    options = {retry: policy(initial_interval=0.01, retry_on=LookupError)}
    graph(flaky, **options).compile().invoke(EMPTY)
    assert emission.tree() == ["invoke_workflow", "  node flaky", "  node flaky"]
    assert [it.get("error.type") for it in attributes(emission, "node flaky")] == [
        "LookupError",
        None,
    ]
    assert "error.type" not in attributes(emission, "invoke_workflow")[0]


# Errors.


def test_an_error_is_on_every_span_that_it_passes(emission: Emission) -> None:
    with pytest.raises(LookupError, match="secret"):
        compiled(first, ("below", compiled(broken))).invoke(EMPTY)
    assert emission.tree() == [
        "invoke_workflow",
        "  node first",
        "  invoke_workflow below",
        "    node broken",
    ]
    assert errors(emission) == {
        "invoke_workflow": "LookupError",
        "invoke_workflow below": "LookupError",
        "node broken": "LookupError",
    }
    assert raised_in(emission) == ["node broken"]
    assert "secret" not in emission.texts()


# Interrupts.


def saver() -> Any:
    memory = library("checkpoint.memory")
    return getattr(memory, "InMemorySaver", None) or memory.MemorySaver


THREAD: Any = {"configurable": {"thread_id": "t-1"}}


def approve(state: State) -> Any:
    return {"steps": [library("types").interrupt("secret question")]}


@DYNAMIC
def test_an_interrupt_is_no_error_and_resuming_is_a_run(emission: Emission) -> None:
    run = compiled(first, approve, checkpointer=saver()())
    run.invoke(EMPTY, THREAD)
    assert emission.tree() == ["invoke_workflow", "  node first", "  node approve"]
    assert attributes(emission, "node approve") == [
        {
            "otel_agents.step.type": "node",
            "otel_agents.step.number": 2,
            "otel_agents.step.outcome": "interrupted",
            "gen_ai.conversation.id": "t-1",
        }
    ]
    result = run.invoke(library("types").Command(resume="yes"), THREAD)
    assert result == {"steps": ["first", "yes"]}
    assert emission.traces() == 2
    assert errors(emission) == {}
    assert "secret" not in emission.texts()


@DYNAMIC
def test_an_interrupt_is_an_event_of_the_run(emission: Emission) -> None:
    compiled(("below", compiled(approve)), checkpointer=saver()()).invoke(EMPTY, THREAD)
    assert emission.events == [("otel_agents.interrupt", {})]
    assert raised_in(emission) == ["invoke_workflow"]


@DYNAMIC
@pytest.mark.parametrize("when", [{"interrupt_before": ["second"]}, {"interrupt_after": ["first"]}])
def test_a_breakpoint_is_an_event_of_the_run(when: dict[str, Any], emission: Emission) -> None:
    run = compiled(first, second, checkpointer=saver()(), **when)
    run.invoke(EMPTY, THREAD)
    assert emission.tree() == ["invoke_workflow", "  node first"]
    assert emission.events == [("otel_agents.interrupt", {})]
    run.invoke(None, THREAD)
    assert len(emission.events) == 1


@DYNAMIC
def test_a_breakpoint_of_a_nested_graph_is_one_event(emission: Emission) -> None:
    inner = compiled(first, second, interrupt_before=["second"])
    compiled(("inner", inner), checkpointer=saver()()).invoke(EMPTY, THREAD)
    assert emission.tree() == ["invoke_workflow", "  invoke_workflow inner", "    node first"]
    assert emission.events == [("otel_agents.interrupt", {})]
    assert errors(emission) == {}


@DYNAMIC
def test_what_an_interrupt_requests_is_content(
    emission: Emission, instrument: Any, request: pytest.FixtureRequest
) -> None:
    from otel_agents.instrumentors.langchain import LangChainInstrumentor

    LangChainInstrumentor().uninstrument()
    instrument(sdk=False, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_AND_EVENT")
    compiled(approve, checkpointer=saver()()).invoke(EMPTY, THREAD)
    ((name, found),) = emission.events
    assert (name, found["otel_agents.interrupt.value"]) == (
        "otel_agents.interrupt",
        '"secret question"',
    )


# Conversations.


def test_a_thread_is_a_conversation(emission: Emission) -> None:
    run = compiled(first, checkpointer=saver()())
    for thread in (1, 1, 2):
        run.invoke(EMPTY, {"configurable": {"thread_id": thread}})
    assert emission.traces() == 3
    ids = [it["gen_ai.conversation.id"] for it in attributes(emission, "invoke_workflow")]
    assert ids == ["1", "1", "2"]


# Graphs on another server.


class Server:
    """The end of the network: a client of LangGraph's servers."""

    def __init__(self, *parts: Any) -> None:
        self.runs = self
        self.parts = parts

    def stream(self, **request: Any) -> Any:
        """Return the parts of a response."""
        part: Any = import_module("langgraph_sdk.schema").StreamPart
        return iter([part(event, data) for event, data in self.parts])


REMOTE = pytest.mark.skipif(Version("0.2.60") > LANGGRAPH, reason="no remote graph")


def remote(*parts: Any, **options: Any) -> Any:
    client: Any = Server(*parts)
    return library("pregel.remote").RemoteGraph("helper", sync_client=client, **options)


@REMOTE
def test_a_graph_on_another_server_is_a_step(emission: Emission) -> None:
    compiled(first, ("away", remote(("values", {"steps": ["there"]})))).invoke(EMPTY)
    assert emission.tree() == ["invoke_workflow", "  node first", "  remote_graph helper"]
    assert attributes(emission, "remote_graph helper") == [
        {"otel_agents.step.type": "remote_graph", "otel_agents.step.number": 2}
    ]


@REPORTED
def test_an_interrupt_on_another_server_is_no_error(emission: Emission) -> None:
    away = remote(("updates", {"__interrupt__": [{"value": "secret question", "id": "i-1"}]}))
    compiled(("away", away), checkpointer=saver()()).invoke(EMPTY, THREAD)
    assert emission.tree() == ["invoke_workflow", "  remote_graph helper"]
    assert errors(emission) == {}
    (found,) = attributes(emission, "remote_graph helper")
    assert found["otel_agents.step.outcome"] == "interrupted"
    assert emission.events == [("otel_agents.interrupt", {})]


INTERRUPT: dict[str, Any] = {"__interrupt__": [{"value": "secret question", "id": "i-1"}]}


@REMOTE
@pytest.mark.parametrize("mode", ["updates", ["values", "updates"]], ids=["one", "several"])
def test_an_interrupt_that_another_server_returns_is_an_event(
    mode: Any, emission: Emission
) -> None:
    away = remote(("updates", INTERRUPT), ("values", INTERRUPT))
    list(away.stream(EMPTY, stream_mode=mode))
    assert attributes(emission, "remote_graph helper") == [
        {"otel_agents.step.type": "remote_graph", "otel_agents.step.outcome": "interrupted"}
    ]
    assert [name for name, _ in emission.events] == ["otel_agents.interrupt"]
    assert errors(emission) == {}


@REMOTE
def test_an_error_on_another_server_has_one_event(emission: Emission) -> None:
    away = remote(("error", {"error": "ValueError", "message": "secret"}))
    with pytest.raises(Exception, match="ValueError"):
        compiled(("away", away)).invoke(EMPTY)
    assert list(errors(emission)) == ["remote_graph helper", "invoke_workflow"]
    assert raised_in(emission) == ["remote_graph helper"]
    assert "secret" not in emission.texts()


# Streams that are left.


def seen() -> bool:
    return trace.get_current_span().get_span_context().is_valid


def test_a_stream_that_is_left_ends_its_run(emission: Emission) -> None:
    stream = compiled(first, second).stream(EMPTY)
    next(stream)
    assert not seen()
    stream.close()
    assert emission.tree()[:2] == ["invoke_workflow", "  node first"]
    assert errors(emission) == {}
    assert attributes(emission, "invoke_workflow") == [
        {"gen_ai.operation.name": "invoke_workflow", "otel_agents.stream.abandoned": True}
    ]


def test_a_stream_that_is_dropped_ends_its_run(emission: Emission) -> None:
    stream = compiled(first, second).stream(EMPTY)
    next(stream)
    del stream
    gc.collect()
    hosting.drain_streams(5)
    assert emission.tree()[:2] == ["invoke_workflow", "  node first"]


def test_an_async_stream_that_is_left_ends_its_run(loop: Loop, emission: Emission) -> None:
    async def leave() -> None:
        stream = compiled(first, second).astream(EMPTY)
        async for _ in stream:
            break
        await stream.aclose()
        assert not seen()

    loop.run_until_complete(leave())
    assert emission.tree()[:2] == ["invoke_workflow", "  node first"]
    assert errors(emission) == {}


def test_a_stream_of_messages_that_is_left_ends_the_call_of_the_model(
    llm: Any, loop: Loop, emission: Emission
) -> None:
    async def caller(state: State) -> Any:
        await llm.ainvoke("Hi")

    async def leave() -> None:
        stream = compiled(caller).astream(EMPTY, stream_mode="messages")
        async for _ in stream:
            break
        await stream.aclose()
        assert not seen()

    loop.run_until_complete(leave())
    hosting.drain_streams(5)
    assert emission.tree() == ["invoke_workflow", "  node caller", f"    {CHAT}"]


def test_a_cancelled_run_ends_with_all_below(loop: Loop, emission: Emission) -> None:
    started = asyncio.Event()

    async def waiting(state: State) -> Any:
        started.set()
        await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.ensure_future(compiled(waiting).ainvoke(EMPTY))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    loop.run_until_complete(cancel())
    assert emission.tree() == ["invoke_workflow", "  node waiting"]
    cancelled = "asyncio.exceptions.CancelledError"
    node = {"node waiting": cancelled} if Version("0.2") <= LANGGRAPH else {}
    assert errors(emission) == {"invoke_workflow": cancelled, **node}


def test_spans_of_the_application_stay_in_between(emission: Emission) -> None:
    tracer = emission.tracer_provider.get_tracer("application")
    below = compiled(second)

    def caller(state: State) -> Any:
        with tracer.start_as_current_span("mine"):
            return below.invoke(EMPTY)

    with tracer.start_as_current_span("request"):
        compiled(caller).invoke(EMPTY)
    assert emission.tree() == [
        "request",
        "  invoke_workflow",
        "    node caller",
        "      mine",
        "        invoke_workflow",
        "          node second",
    ]


@pytest.mark.parametrize("config", [{"callbacks": 5}, 5], ids=["callbacks", "config"])
def test_a_refused_call_is_announced_no_longer_than_to_the_next_run(
    emission: Emission, config: Any
) -> None:
    graph = compiled(first, name="g")
    for _ in range(3):
        with pytest.raises((AttributeError, TypeError)):
            graph.invoke(EMPTY, config)
    assert len(GRAPHS) <= 1
    for name in ("h", "g"):
        run: Any = RunnableLambda(str)
        run.with_config(run_name=name).invoke("hi")
        assert len(GRAPHS) == 0
    compiled(second).invoke(EMPTY)
    assert sorted(emission.names) == [
        "invoke_workflow",
        "invoke_workflow g",
        "invoke_workflow h",
        "node second",
    ]

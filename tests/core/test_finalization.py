"""Dropped streams are finalized by one thread, not by a destructor, and end when they were dropped."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from core_recording import Answering, Recorded, settle
from new_processes import in_a_new_process
from toyaws import EventStream, Raw, StreamingBody

from otel_agents.instrumentors import ClaimedCall, Inference, InvokeAgent, Telemetry, wrapped
from otel_agents.instrumentors._core import system
from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.calls.results import follow
from otel_agents.instrumentors._core.calls.streams import AsyncStreamProxy, StreamProxy
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

NOTHING: Any = None
"""A placeholder for telemetry, which toys do not use."""
THREAD = "otel-agents-finalization"


class Where(Answering):
    """Records the thread of each report."""

    def _report(self, name: str, *values: Any) -> None:
        super()._report(name, THREAD if system.is_ours() else threading.current_thread().name)


class Stream:
    def __init__(self) -> None:
        self.closed = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        return "item"

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True


class AsyncStream:
    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        return "item"


def items() -> Iterator[str]:
    while True:
        yield "item"


async def aitems() -> AsyncIterator[str]:
    while True:
        yield "item"


def run(function: Callable[[], Any], operation: Recorded) -> Any:
    return wrapped(function, NOTHING, lambda telemetry, call: operation)()


def started(generator: Any) -> Any:
    next(generator)
    return generator


def astarted(generator: Any) -> Any:
    with pytest.raises(StopIteration):
        anext(generator).send(None)
    return generator


async def given() -> Iterator[str]:
    return items()


def unread(operation: Recorded) -> Any:
    with pytest.raises(StopIteration) as stop:
        run(given, operation).send(None)
    return stop.value.value


def within_a_generator(stream: Any, leave: str) -> Any:
    """As in a web framework, which iterates what the application wrote."""

    def with_it() -> Iterator[Any]:
        with stream as entered:
            yield from entered

    def finally_closed() -> Iterator[Any]:
        try:
            yield from stream
        finally:
            try:
                raise LookupError
            except LookupError:
                stream.close()

    return started((with_it if leave == "with" else finally_closed)())


MADE: dict[str, Callable[[Any], Any]] = {
    "stream": lambda it: StreamProxy(Stream(), it),
    "async stream": lambda it: AsyncStreamProxy(AsyncStream(), it),
    "generator": lambda it: started(run(items, it)),
    "async generator": lambda it: astarted(run(aitems, it)),
    "a generator that is given": unread,
    "events": lambda it: follow(it, EventStream(Raw(b"ab"))),
    "body": lambda it: follow(it, StreamingBody(Raw(b"ab"))),
    "stream in a with of a generator": lambda it: within_a_generator(
        StreamProxy(Stream(), it), "with"
    ),
    "stream closed by a generator": lambda it: within_a_generator(
        StreamProxy(Stream(), it), "close"
    ),
}
each_made = pytest.mark.parametrize("make", MADE.values(), ids=MADE)


@each_made
@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("cycle", [False, True], ids=["dropped", "collected"])
def test_no_destructor_runs_telemetry(make: Callable[[Any], Any], cycle: bool) -> None:
    operation = Where()
    held = [make(operation)]
    if cycle:
        held.append(held)  # pyright: ignore[reportArgumentType]  only the collector finds it
    del held
    gc.collect()
    settle()
    assert operation.reports[-1] == ("abandoned", THREAD)
    assert [name for name, _ in operation.reports].count("abandoned") == 1


CLOSES: dict[str, Callable[[StreamProxy], object]] = {
    "close": lambda stream: stream.close(),
    "with": lambda stream: stream.__enter__() and stream.__exit__(None, None, None),
}


@pytest.mark.parametrize("close", CLOSES.values(), ids=CLOSES)
def test_closing_a_stream_waits_briefly_for_its_end(
    close: Callable[[StreamProxy], object],
) -> None:
    """A destructor may close it, and the thread may wait for a lock that it holds."""
    operation, busy = Recorded(), threading.Event()
    finalization.started().put(busy.wait)
    stream = StreamProxy(Stream(), operation)
    began = time.monotonic()
    close(stream)
    assert time.monotonic() - began < 5
    assert operation.reports == []
    busy.set()
    settle()
    assert operation.reports == [("abandoned",)]


def test_it_ends_when_it_was_dropped(emission: Emission) -> None:
    """Not when the thread gets to it: here, that is delayed."""
    telemetry, go_on = Telemetry("toy", **emission.providers), threading.Event()
    stream = StreamProxy(Stream(), InvokeAgent(telemetry, "planner"))
    finalization.started().put(go_on.wait)
    before = time.time_ns()
    del stream
    after = time.time_ns()
    time.sleep(0.05)  # what must not be counted
    go_on.set()
    settle()
    end = emission.span.end_time or 0
    assert before - 20_000_000 <= end <= after + 20_000_000
    assert emission.span.attributes == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "planner",
        "otel_agents.stream.abandoned": True,
    }


def test_an_agent_waits_for_what_was_dropped_under_it(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its aggregates include it."""
    monkeypatch.setattr(finalization, "_BRIEF_SECONDS", 10.0)  # a busy machine is slow
    recorded: list[str] = []
    agent = InvokeAgent(telemetry, "planner")
    agent.when_ended.append(lambda: recorded.append("agent"))
    # It is not done yet when the agent ends.
    finalization.started().put(lambda: (time.sleep(0.01), recorded.append("dropped")))
    agent.end()
    assert recorded == ["dropped", "agent"]


class Reply(ClaimedCall):
    """A framework's model call whose context did not reach the SDK."""

    def response_id(self, response: Any) -> str:
        return "r1"


def test_a_response_is_counted_once_where_the_stream_that_gave_it_was_dropped(
    telemetry: Telemetry, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finalization, "_BRIEF_SECONDS", 10.0)  # a busy machine is slow
    claim = Reply(telemetry, Operation.CHAT, model="toy", provider="toy", sends_itself=True)
    inner = Inference(telemetry, Operation.CHAT, "toy", "toy", ("toy.example", 443))
    inner.response_id, inner.response_model, inner.finish_reasons = "r1", "toy-1", ("stop",)
    inner.input_tokens, inner.output_tokens, inner.complete = 1, 1, True
    stream = StreamProxy(Stream(), inner)
    finalization.started().put(lambda: time.sleep(0.01))  # the stream waits behind it
    del stream
    claim.returned("the answer, put together")
    settle()
    assert emission.names == ["chat toy"]


def test_an_agent_that_is_dropped_itself_waits_for_nothing(telemetry: Telemetry) -> None:
    agents = [InvokeAgent(telemetry, "planner") for _ in range(100)]
    streams = [StreamProxy(Stream(), agent) for agent in agents]
    began = time.monotonic()
    streams.clear()
    settle()
    assert time.monotonic() - began < 5
    assert all(agent.ended for agent in agents)


def test_an_error_while_finalizing_does_not_stop_the_next(caught: list[str]) -> None:
    first, second = Recorded(breaks_at="abandoned"), Recorded()
    for operation in (first, second):
        StreamProxy(Stream(), operation)
    settle()
    assert (caught, second.reports) == (["ending an operation"], [("abandoned",)])
    assert first.reports == [("abandoned",), ("end",)]


def test_the_queue_is_bounded(
    counts: Counts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As if a span processor hung."""
    gc.collect()  # no stream of another test is found meanwhile
    settle()
    monkeypatch.setattr(finalization.QUEUE, "max_pending", 3)
    busy, operations = threading.Event(), [Recorded() for _ in range(5)]
    finalization.started().put(busy.wait)
    for operation in operations:
        StreamProxy(Stream(), operation)
    monkeypatch.setattr(finalization.QUEUE, "max_pending", 10)  # settling takes an item too
    busy.set()
    settle()
    assert [operation.reports for operation in operations] == [[("abandoned",)]] * 2 + [[]] * 3
    assert counts == {"finalizing dropped streams": 3}
    assert "dropped streams without a span: 3" in caplog.text


# Whole processes.

PREPARED = """if True:
    import asyncio, atexit, gc, os, sys, threading
    from opentelemetry.context import get_current
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
    from otel_agents.instrumentors import ClaimedCall, Inference, InvokeAgent, Telemetry, wrapped
    from otel_agents.instrumentors._core import system
    from otel_agents.instrumentors._core.calls import finalization
    from otel_agents.instrumentors._core.calls.streams import StreamProxy

    class Stream:
        def __iter__(self): return self
        def __next__(self): return 1

    class Processor(SpanProcessor):
        def on_end(self, span): print("ended", span.name, flush=True)

    provider = TracerProvider(shutdown_on_exit=False)
    telemetry = Telemetry("toy", tracer_provider=provider)
    start = lambda telemetry, call: InvokeAgent(telemetry, "planner")
    def stream(name): return StreamProxy(Stream(), InvokeAgent(telemetry, name))

    def threads():
        # Python's threads that have started.
        if finalization.QUEUE.ready is not None:
            begun = threading.Event()
            finalization.QUEUE.finalizer.put(begun.set)
            assert begun.wait(5)
        return sorted(map(whose, sys._current_frames().values()))

    def whose(frame):
        while frame.f_back is not None: frame = frame.f_back
        return "otel-agents-finalization" if frame.f_code is system._run.__code__ else "MainThread"
"""


def recorded_by(program: str) -> list[str]:
    return in_a_new_process(PREPARED + program).splitlines()


def test_a_span_processor_with_a_plain_lock_does_not_deadlock() -> None:
    """The collector runs while it holds its lock; ending a span there would take it again."""
    program = """
    class Locked(Processor):
        lock = threading.Lock()
        def on_end(self, span):
            with self.lock:
                super().on_end(span)
                garbage.clear()
                gc.collect()

    provider.add_span_processor(Locked())
    garbage = [stream("dropped")]
    gc.disable()
    InvokeAgent(telemetry, "interrupted").end()
    print(finalization.drain(5))
    """
    assert recorded_by(program) == [
        "ended invoke_agent interrupted",
        "ended invoke_agent dropped",
        "True",
    ]


def test_without_streams_there_is_no_thread() -> None:
    program = """
    provider.add_span_processor(Processor())
    async def answer(): await asyncio.sleep(0)
    async def main():
        await wrapped(answer, telemetry, start)()
        await wrapped(lambda: answer(), telemetry, start)()
        await wrapped(lambda: asyncio.ensure_future(answer()), telemetry, start)()
        print(threads())
    asyncio.run(main())
    wrapped(lambda: 1, telemetry, start)()
    print(threads(), finalization.drain(5), threads())
    """
    ended, alone = ["ended invoke_agent planner"] * 3, "['MainThread']"
    assert recorded_by(program) == [*ended, alone, ended[0], f"{alone} True {alone}"]


def test_the_thread_runs_before_anything_can_be_dropped() -> None:
    program = """
    kept = stream("kept")
    print(threads())
    """
    assert recorded_by(program) == [f"['MainThread', '{THREAD}']"]


def test_an_unfinished_coroutine_is_finalized_by_the_next_call() -> None:
    program = """
    ended = threading.Event()
    class Tells(Processor):
        def on_end(self, span):
            super().on_end(span)
            ended.set()
    provider.add_span_processor(Tells())
    async def answer(): await asyncio.sleep(0)
    waiting = wrapped(answer, telemetry, start)()
    waiting.send(None)
    del waiting
    print(threads())
    asyncio.run(wrapped(answer, telemetry, start)())
    print(ended.wait(5), threads())
    """
    recorded = recorded_by(program)
    assert recorded[0] == "['MainThread']"
    assert sorted(recorded[1:]) == [
        f"True ['MainThread', '{THREAD}']",
        "ended invoke_agent planner",
        "ended invoke_agent planner",
    ]


@pytest.mark.parametrize("makes_one_before", [False, True])
def test_what_is_dropped_while_the_process_ends_is_finalized(makes_one_before: bool) -> None:
    """From Python 3.12 on no thread can be started then: the exit handler does it."""
    program = f"""
    provider.add_span_processor(Processor())
    if {makes_one_before}: stream("before")
    print(finalization.drain(5), flush=True)
    # Runs before the handler of `finalization`, which was registered earlier.
    atexit.register(lambda: (stream("late"), None)[1])
    """
    before = ["ended invoke_agent before"] if makes_one_before else []
    assert recorded_by(program) == [*before, "True", "ended invoke_agent late"]


def test_if_no_thread_can_start_the_waiter_finalizes() -> None:
    program = """
    provider.add_span_processor(Processor())
    def start(work): raise RuntimeError("can't start new thread")
    system.start = start
    for name in ("first", "second"): stream(name)
    print("dropped", threads())
    print(finalization.drain(5), flush=True)
    """
    assert recorded_by(program) == [
        "dropped ['MainThread']",
        "ended invoke_agent first",
        "ended invoke_agent second",
        "True",
    ]


def test_without_drops_nothing_is_logged_at_exit() -> None:
    assert recorded_by("kept = stream('kept'); kept.itself = kept; print('over')") == ["over"]


def test_a_forked_child_has_a_thread_of_its_own_and_leaves_its_parents_streams_alone() -> None:
    program = """
    provider.add_span_processor(Processor())
    parents = stream("parent's")
    child = os.fork()
    if child == 0:
        print(threads(), flush=True)
        del parents
        own = stream("child's")
        print(threads(), flush=True)
        del own
        print(finalization.drain(5), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    del parents
    print(finalization.drain(5))
    """
    assert recorded_by(program) == [
        "['MainThread']",
        f"['MainThread', '{THREAD}']",
        "ended invoke_agent child's",
        "True",
        "ended invoke_agent parent's",
        "True",
    ]


def test_system_exit_in_a_span_processor_ends_only_the_thread() -> None:
    program = """
    class Exits(Processor):
        def on_end(self, span):
            super().on_end(span)
            sys.exit(1)
    provider.add_span_processor(Exits())
    for name in ("first", "second"):
        stream(name)
        print(finalization.drain(5), flush=True)
    """
    assert recorded_by(program) == [
        "ended invoke_agent first",
        "True",
        "ended invoke_agent second",
        "True",
    ]


def test_streams_that_are_made_at_once_start_one_thread() -> None:
    program = """
    ready = threading.Barrier(8)
    def make():
        ready.wait()
        made.append(stream("one"))
    made = []
    makers = [threading.Thread(target=make) for _ in range(8)]
    for maker in makers: maker.start()
    for maker in makers: maker.join()
    print(threads())
    """
    assert recorded_by(program) == [f"['MainThread', '{THREAD}']"]

"""The laws of a followed stream: it keeps its type and is finalized exactly once."""

from __future__ import annotations

import asyncio
import copy
import copyreg
import gc
import logging
import pickle
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import opentelemetry.context
import pytest
from core_recording import Recorded, current_mark, settle
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls import streams
from otel_agents.instrumentors._core.calls.reporting import HIDDEN
from otel_agents.instrumentors._core.calls.streams import AsyncStreamProxy, StreamProxy
from otel_agents.instrumentors._core.context.current import current_context


class Stream:
    """A stream like those of SDKs: iterator, context manager, with attributes."""

    def __init__(self, *items: Any) -> None:
        self._items: Iterator[Any] = iter(items)
        self.response = "the response"
        self.closed = False
        self.marks: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self.marks.append(current_mark())
        item = next(self._items)
        if isinstance(item, BaseException):
            raise item
        return item

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True


class AsyncStream:
    """The asynchronous twin of `Stream`."""

    def __init__(self, *items: Any) -> None:
        self._items: Iterator[Any] = iter(items)
        self.response = "the response"
        self.closed = False
        self.marks: list[Any] = []

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        self.marks.append(current_mark())
        for item in self._items:
            if isinstance(item, BaseException):
                raise item
            return item
        raise StopAsyncIteration

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self.close()

    async def close(self) -> None:
        self.closed = True


ALL = [("chunk", "a"), ("chunk", "b"), ("exhausted", None)]
LEFT = [("chunk", "a"), ("abandoned",)]


def test_a_stream_stays_what_it_was() -> None:
    stream = Stream("a")
    proxy = StreamProxy(stream, Recorded())
    assert isinstance(proxy, Stream)
    assert proxy.__class__ is Stream
    assert proxy.response == "the response"
    proxy.response = "another"
    assert stream.response == "another"
    assert dir(proxy) == dir(stream)
    assert repr(proxy) == repr(stream)
    assert not hasattr(proxy, "no_such_thing")
    assert not isinstance(proxy, AsyncIterator)
    list(proxy)


def test_an_async_stream_stays_what_it_was() -> None:
    stream = AsyncStream("a")
    proxy = AsyncStreamProxy(stream, Recorded())
    assert isinstance(proxy, AsyncStream)
    assert proxy.response == "the response"
    assert not isinstance(proxy, Iterator)
    proxy.__del__()


def test_exhaustion_is_reported_once() -> None:
    operation = Recorded()
    proxy = StreamProxy(Stream("a", "b"), operation)
    assert list(proxy) == ["a", "b"]
    assert list(proxy) == []
    proxy.close()
    del proxy
    assert operation.reports == ALL


def test_asynchronous_exhaustion_is_reported_once() -> None:
    operation = Recorded()

    async def main() -> None:
        proxy = AsyncStreamProxy(AsyncStream("a", "b"), operation)
        assert [item async for item in proxy] == ["a", "b"]
        await proxy.close()

    asyncio.run(main())
    assert operation.reports == ALL


@pytest.mark.parametrize("ending", ["close", "with", "with and error", "break", "collected"])
def test_a_stream_left_early_is_abandoned_once(ending: str) -> None:
    operation = Recorded()
    stream = Stream("a", "b")
    proxy: Any = StreamProxy(stream, operation)
    if ending == "break":
        for _ in proxy:
            break
    elif ending == "with":
        with proxy as entered:
            assert entered is proxy
            next(entered)
            del entered
    elif ending == "with and error":
        next(proxy)
        with pytest.raises(KeyError), proxy:
            raise KeyError
    else:
        next(proxy)
    if ending == "close":
        proxy.close()
    if ending == "collected":
        proxy.itself = proxy  # a cycle: only the collector finds it
        stream.__dict__["cycle"] = proxy
    del proxy
    if ending == "collected":
        del stream
        gc.collect()
    else:
        assert stream.closed == (ending != "break")
    settle()
    assert operation.reports == LEFT


def test_an_asynchronous_stream_left_early_is_abandoned_once() -> None:
    operation = Recorded()

    async def main() -> None:
        async with AsyncStreamProxy(AsyncStream("a", "b"), operation) as stream:
            async for _ in stream:
                break

    asyncio.run(main())
    assert operation.reports == LEFT


def test_an_asynchronous_stream_that_closes_without_awaiting_does_so_still() -> None:
    class ClosesAtOnce(AsyncStream):
        def close(self) -> Any:
            self.closed = True
            return "closed"

    operation, stream = Recorded(), ClosesAtOnce("a")
    assert (AsyncStreamProxy(stream, operation).close(), stream.closed) == ("closed", True)
    assert operation.reports == [("abandoned",)]


def test_an_exception_of_the_provider_is_a_failure() -> None:
    operation = Recorded()
    proxy = StreamProxy(Stream("a", ConnectionError("lost")), operation)
    with pytest.raises(ConnectionError, match="lost"):
        list(proxy)
    del proxy
    assert operation.reports == [("chunk", "a"), ("failed", "ConnectionError")]


def test_an_exception_of_the_caller_is_no_failure_of_the_stream() -> None:
    operation = Recorded()

    def consume() -> None:
        for _ in StreamProxy(Stream("a", "b"), operation):
            raise KeyError

    with pytest.raises(KeyError):
        consume()
    settle()
    assert operation.reports == LEFT


def test_cancellation_while_waiting_is_a_failure() -> None:
    operation = Recorded()
    waiting = asyncio.Event()

    class Waits(AsyncStream):
        async def __anext__(self) -> Any:
            waiting.set()
            await asyncio.Event().wait()

    async def main() -> None:
        proxy = AsyncStreamProxy(Waits(), operation)
        task = asyncio.ensure_future(proxy.__anext__())
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert operation.reports == [("failed", "CancelledError")]


def test_the_context_is_current_while_an_item_is_fetched_and_not_between() -> None:
    operation = Recorded()
    stream = Stream("a", "b")
    between = [current_mark() for _ in StreamProxy(stream, operation)]
    assert between == [None, None]
    assert stream.marks == [operation] * 3


class OwnRuntime(ContextVarsRuntimeContext):
    """A context that does more than to set a variable, as ``OTEL_PYTHON_CONTEXT`` may name."""

    def __init__(self) -> None:
        super().__init__()
        self.attached = 0

    def attach(self, context: Context) -> Any:
        self.attached += 1
        return super().attach(context)


def test_the_functions_of_another_context_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = OwnRuntime()
    monkeypatch.setattr(opentelemetry.context, "_RUNTIME_CONTEXT", runtime)
    monkeypatch.setattr(streams, "CURRENT", current_context())
    test_the_context_is_current_while_an_item_is_fetched_and_not_between()
    assert runtime.attached == 6
    operation, stream = Recorded(), AsyncStream("a", "b")
    between = asyncio.run(marks_between(AsyncStreamProxy(stream, operation)))
    assert between == [None, None]
    assert stream.marks == [operation] * 3
    assert runtime.attached == 11  # the end is left by the token


async def marks_between(stream: Any) -> list[Any]:
    return [current_mark() async for _ in stream]


def test_a_stream_read_in_several_tasks_and_threads_never_fails_to_detach(
    caplog: pytest.LogCaptureFixture,
) -> None:
    operation = Recorded()
    proxy = StreamProxy(Stream("a", "b"), operation)
    thread = threading.Thread(target=lambda: next(proxy))
    thread.start()
    thread.join()

    async def step() -> Any:
        return next(proxy)

    async def main() -> None:
        assert await asyncio.create_task(step()) == "b"

    asyncio.run(main())
    with caplog.at_level(logging.WARNING):
        assert list(proxy) == []
    assert caplog.text == ""
    assert operation.reports == ALL


def test_a_hidden_chunk_does_not_reach_the_caller() -> None:
    assert list(StreamProxy(Stream("a", "b"), Recorded(hides=HIDDEN))) == []


@pytest.mark.parametrize("method_name", ["chunk", "exhausted", "abandoned", "failed"])
def test_an_internal_error_at_any_point_changes_nothing(
    method_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    assert list(StreamProxy(Stream("a", "b"), Recorded(breaks_at=method_name))) == ["a", "b"]
    StreamProxy(Stream("a"), Recorded(breaks_at=method_name)).close()
    broken = StreamProxy(Stream(ConnectionError("lost")), Recorded(breaks_at=method_name))
    with pytest.raises(ConnectionError, match="lost"):
        next(broken)
    assert len(caught) == (2 if method_name == "chunk" else 1)


def copied(value: Any, how: Callable[[Any], Any]) -> Any:
    """The copy, or what was raised instead."""
    try:
        return how(value)
    except Exception as error:  # noqa: BLE001  that it is the same is what is tested
        return error


class Kept:
    """A stream that can be pickled."""

    def __init__(self) -> None:
        self.left = ["a", "b"]

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self.left:
            raise StopIteration
        return self.left.pop(0)


class KeptAs(Kept):
    """One that defines how it is copied."""

    def __copy__(self) -> Any:
        return "a copy"

    def __deepcopy__(self, memo: Any) -> Any:
        return "a deep copy"

    def __reduce__(self) -> Any:
        return str, ("pickled",)


class Registered(Kept):
    """One whose module has registered it with `copyreg`."""


class Unkept(Kept):
    """One that cannot be pickled, as most SDK streams."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = (character for character in "ab")


def reduced(value: Registered) -> Any:
    return list, (value.left,)


COPIES: list[Callable[[Any], Any]] = [
    copy.copy,
    copy.deepcopy,
    *(
        lambda value, protocol=protocol: pickle.loads(pickle.dumps(value, protocol))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    ),
]


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("kind", [Kept, KeptAs, Registered, Stream, Unkept])
def test_a_copy_of_a_stream_is_as_without_instrumentation(
    how: Callable[[Any], Any], kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it fails, as for one that holds an iterator."""
    monkeypatch.setitem(copyreg.dispatch_table, Registered, reduced)
    operation = Recorded()
    proxy = StreamProxy(kind(), operation)
    expected, found = copied(kind(), how), copied(proxy, how)
    assert type(found) is type(expected)
    assert reports(found) == reports(expected)
    assert operation.reports == []
    list(proxy)
    assert operation.reports[-1] == ("exhausted", None)


def reports(value: Any) -> Any:
    """What two equal streams have in common."""
    if isinstance(value, Stream):
        return [*value], value.response
    return value.left if isinstance(value, Kept) else str(value)

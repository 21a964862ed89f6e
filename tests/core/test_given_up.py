"""An abandoned stream leaves its caller's context as it was, with no span left behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from core_recording import Answering, Recorded, settle
from opentelemetry.context import Context, attach, detach, get_current, set_value
from toyaws import EventStream, Raw

from otel_agents.instrumentors import wrapped
from otel_agents.instrumentors._core.calls.results import follow
from otel_agents.instrumentors._core.calls.streams import AsyncStreamProxy, StreamProxy

NOTHING: Any = None
"""A placeholder for telemetry, which toys do not use."""


class Span:
    """Current in a ``with``, like a span."""

    def __enter__(self) -> None:
        self._token = attach(set_value("span", self))

    def __exit__(self, *exception: object) -> None:
        detach(self._token)


def items() -> Iterator[int]:
    """A stream with a span of its own, which accepts thrown exceptions."""
    with Span():
        for item in range(3):
            try:
                yield item
            except LookupError:
                yield 7


async def aitems() -> AsyncIterator[int]:
    with Span():
        for item in range(3):
            try:
                yield item
            except LookupError:
                yield 7


class Stream:
    """Of an SDK, over a generator that it closes."""

    def __init__(self) -> None:
        self._items: Any = items()

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return next(self._items)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._items.close()


class AsyncStream:
    def __init__(self) -> None:
        self._items: Any = aitems()

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        return await anext(self._items)

    async def __aenter__(self) -> AsyncStream:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._items.aclose()


class Events(EventStream):
    def __iter__(self) -> Iterator[Any]:
        return items()


def run(function: Callable[[], Any], operation: Recorded) -> Any:
    return wrapped(function, NOTHING, lambda telemetry, call: operation)()


def broken_off(stream: Any) -> None:
    for _ in stream:
        break


def closed(stream: Any) -> None:
    next(iter(stream))
    stream.close()


def left(stream: Any) -> None:
    with stream as entered:
        next(entered)


def left_by_an_error(stream: Any) -> None:
    def reading() -> None:
        with stream as entered:
            next(entered)
            raise KeyError

    with pytest.raises(KeyError):
        reading()


def thrown_into(generator: Any) -> None:
    next(generator)
    assert generator.throw(LookupError()) == 7
    generator.close()


def thrown_what_it_rejects(generator: Any) -> None:
    next(generator)
    with pytest.raises(ValueError, match="rejected"):
        generator.throw(ValueError("rejected"))


def read_to_its_end(stream: Any) -> None:
    assert list(stream) == [0, 1, 2]


GENERATOR: list[Callable[[Any], Any]] = [
    lambda it: run(items, it),
    lambda it: run(lambda: items(), it),
]
SYNC: dict[str, tuple[Callable[[Any], Any], list[Callable[[Any], None]]]] = {
    "generator": (
        GENERATOR[0],
        [broken_off, closed, thrown_into, thrown_what_it_rejects, read_to_its_end],
    ),
    "returns a generator": (
        GENERATOR[1],
        [broken_off, closed, thrown_into, thrown_what_it_rejects, read_to_its_end],
    ),
    "stream": (
        lambda it: StreamProxy(Stream(), it),
        [broken_off, closed, left, left_by_an_error, read_to_its_end],
    ),
    "events": (lambda it: follow(it, Events(Raw(b""))), [broken_off, closed, read_to_its_end]),
}


@pytest.fixture
def mine() -> Iterator[Context]:
    """The caller's context."""
    token = attach(set_value("mine", 1, Context()))
    yield get_current()
    detach(token)


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    ("make", "give_up"),
    [
        pytest.param(make, give_up, id=f"{name} {give_up.__name__}")
        for name, (make, ways) in SYNC.items()
        for give_up in ways
    ],
)
def test_an_abandoned_stream_leaves_no_span_behind(
    make: Callable[[Any], Any], give_up: Callable[[Any], None], mine: Context
) -> None:
    operation = Answering()
    give_up(make(operation))
    assert get_current() is mine
    settle()
    assert get_current() is mine
    ends = [report[0] for report in operation.reports if report[0] not in ("chunk", "end")]
    assert len(ends) == 1


async def abroken_off(stream: Any) -> None:
    async for _ in stream:
        break


async def aclosed(stream: Any) -> None:
    await anext(stream)
    await stream.aclose()


async def aleft(stream: Any) -> None:
    async with stream as entered:
        await anext(entered)


async def atold(generator: Any) -> None:
    await anext(generator)
    assert await generator.athrow(LookupError()) == 7
    await generator.aclose()


async def atold_what_it_does_not_bear(generator: Any) -> None:
    await anext(generator)
    with pytest.raises(ValueError, match="rejected"):
        await generator.athrow(ValueError("rejected"))


async def aread_to_its_end(stream: Any) -> None:
    assert [item async for item in stream] == [0, 1, 2]


ASYNC: dict[str, tuple[Callable[[Any], Any], list[Callable[[Any], Any]]]] = {
    "async generator": (
        lambda it: run(aitems, it),
        [aclosed, atold, atold_what_it_does_not_bear, aread_to_its_end],
    ),
    "returns an async generator": (
        lambda it: run(lambda: aitems(), it),
        [aclosed, atold, atold_what_it_does_not_bear, aread_to_its_end],
    ),
    "async stream": (
        lambda it: AsyncStreamProxy(AsyncStream(), it),
        [aclosed, aleft, aread_to_its_end],
    ),
}


@pytest.mark.parametrize(
    ("make", "give_up"),
    [
        pytest.param(make, give_up, id=f"{name} {give_up.__name__}")
        for name, (make, ways) in ASYNC.items()
        for give_up in ways
    ],
)
def test_an_abandoned_asynchronous_stream_leaves_no_span_behind(
    make: Callable[[Any], Any], give_up: Callable[[Any], Any]
) -> None:
    operation = Recorded()

    async def main() -> None:
        attach(set_value("mine", 1, Context()))
        before = get_current()
        await give_up(make(operation))
        assert get_current() is before
        gc.collect()
        await asyncio.sleep(0)
        assert get_current() is before

    asyncio.run(main())
    settle()
    assert len([report for report in operation.reports if report[0] != "chunk"]) == 1


def test_an_abandoned_coroutine_leaves_no_span_behind(mine: Context) -> None:
    operation = Recorded()

    async def work() -> None:
        with Span():
            await aclosed(AsyncStreamProxy(AsyncStream(), Recorded()))
            await Never()

    for closes in (True, False):
        waiting: Any = run(lambda: work(), operation)
        waiting.send(None)
        assert get_current() is mine
        if closes:
            waiting.close()
        del waiting
        assert get_current() is mine
    settle()
    assert operation.reports == [("failed", "GeneratorExit")] * 2


class Never:
    def __await__(self) -> Any:
        yield


def test_a_stream_that_is_current_in_its_with_is_so_still(mine: Context) -> None:
    """What it attaches on entry stays current for the caller until the exit."""

    class Attaches(Stream):
        def __enter__(self) -> Attaches:
            self.span = Span()
            self.span.__enter__()
            return self

        def __exit__(self, *exception: object) -> None:
            self.span.__exit__()

    stream = Attaches()
    with StreamProxy(stream, Recorded()):
        assert get_current().get("span") is stream.span
    assert get_current() is mine


@pytest.mark.usefixtures("mine")
def test_a_stream_that_other_destructors_read_stays_readable() -> None:
    """As a web framework's generator, collected together with the stream that it closes."""
    read: list[Any] = []

    def response(stream: Any) -> Iterator[int]:
        try:
            yield from stream
        finally:
            read.append(stream.close())

    cycle: list[Any] = [response(StreamProxy(Stream(), Recorded()))]
    next(cycle[0])
    cycle.append(cycle)
    del cycle
    gc.collect()
    assert read == [None]

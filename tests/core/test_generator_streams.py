"""Streams whose ``__iter__`` is a generator, as those of the SDKs, are read by one, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import pytest
import wrapt
from core_recording import Recorded, current_mark, settle

from otel_agents.instrumentors._core.calls.reporting import HIDDEN
from otel_agents.instrumentors._core.calls.streams import StreamProxy


class Stream:
    """A stream of an SDK: its iterator is read by ``next`` or by a generator."""

    def __init__(self, *items: Any) -> None:
        self.marks: list[Any] = []
        self._iterator = self._read(items)

    def _read(self, items: tuple[Any, ...]) -> Iterator[Any]:
        for item in items:
            self.marks.append(current_mark())
            if isinstance(item, BaseException):
                raise item
            yield item
        self.marks.append(current_mark())

    def __iter__(self) -> Iterator[Any]:
        for item in self._iterator:  # noqa: UP028  as the SDKs do
            yield item

    def __next__(self) -> Any:
        return next(self._iterator)

    def close(self) -> None:
        """Do nothing."""


def test_it_is_read_to_its_end_once() -> None:
    operation, stream = Recorded(), Stream("a", "b")
    proxy: Any = StreamProxy(stream, operation)
    assert iter(proxy) is not iter(proxy)
    assert [(item, current_mark()) for item in proxy] == [("a", None), ("b", None)]
    assert list(proxy) == []
    proxy.close()
    assert operation.reports == [("chunk", "a"), ("chunk", "b"), ("exhausted", None)]
    assert stream.marks == [operation] * 3


def test_a_reader_goes_on_where_another_has_stopped() -> None:
    operation = Recorded()
    proxy: Any = StreamProxy(Stream("a", "b", "c", "d"), operation)
    for item in proxy:
        assert item == "a"
        break
    assert next(proxy) == "b"
    other = iter(proxy)
    assert next(other) == "c"
    assert list(proxy) == ["d"]
    assert list(other) == []
    assert operation.reports == [*(("chunk", item) for item in "abcd"), ("exhausted", None)]


@pytest.mark.parametrize("ending", ["break", "error", "iterator alone"])
def test_left_early_it_is_abandoned_once(ending: str) -> None:
    operation = Recorded()

    def read() -> None:
        for _ in StreamProxy(Stream("a", "b"), operation):
            if ending == "error":
                raise KeyError
            break

    if ending == "iterator alone":
        reader = iter(StreamProxy(Stream("a", "b"), operation))
        assert next(reader) == "a"
        settle()
        assert operation.reports == [("chunk", "a")]
        del reader
    elif ending == "error":
        with pytest.raises(KeyError):
            read()
    else:
        read()
    settle()
    assert operation.reports == [("chunk", "a"), ("abandoned",)]
    assert current_mark() is None


def test_an_exception_of_the_provider_is_a_failure() -> None:
    operation = Recorded()
    proxy = StreamProxy(Stream("a", ConnectionError("lost")), operation)
    with pytest.raises(ConnectionError, match="lost"):
        list(proxy)
    assert current_mark() is None
    assert list(proxy) == []
    assert operation.reports == [("chunk", "a"), ("failed", "ConnectionError")]


def test_a_hidden_chunk_does_not_reach_the_caller() -> None:
    assert list(StreamProxy(Stream("a", "b"), Recorded(hides=HIDDEN))) == []


def by_next(proxy: Any) -> list[Any]:
    return [*iter(proxy.__next__, "end")]


@pytest.mark.parametrize("read", [list, by_next])
def test_what_chunk_returns_takes_the_later_items_that_it_knows(
    read: Callable[[Any], list[Any]],
) -> None:
    taken: list[Any] = []

    def take(item: str) -> bool:
        if item in "ac":
            taken.append(item)
        return item in "ac"

    class Taking(Recorded):
        def chunk(self, item: Any) -> Any:
            super().chunk(item)
            return take

    operation = Taking()
    assert read(StreamProxy(Stream(*"abcda", "end"), operation))[:5] == [*"abcda"]
    assert operation.reports[:3] == [("chunk", "a"), ("chunk", "b"), ("chunk", "d")]
    assert taken == ["c", "a"]


class PassesOnOnly(Stream):
    """A stream as those of the SDKs: its ``__iter__`` passes on what is read below."""

    def __iter__(self) -> Iterator[Any]:
        for item in self._iterator:  # noqa: UP028  as the SDKs do
            yield item


class Changes(Stream):
    def __iter__(self) -> Iterator[Any]:
        for item in self._iterator:
            yield item * 2


class Skips(Stream):
    def __init__(self, *items: Any) -> None:
        super().__init__(*items)
        self.others = iter("xy")

    def __iter__(self) -> Iterator[Any]:
        for item in self.others:  # noqa: UP028
            yield item


class Counts(PassesOnOnly):
    """A subclass of an application, which calls that of the SDK."""

    number = 0

    def __iter__(self) -> Iterator[Any]:
        for item in super().__iter__():
            self.number += 1
            yield item


@pytest.mark.parametrize(
    ("kind", "items"),
    [
        (PassesOnOnly, ["a", "b"]),
        (Changes, ["aa", "bb"]),
        (Skips, ["x", "y"]),
        (Counts, ["a", "b"]),
    ],
)
def test_the_caller_gets_what_iterating_gives(kind: type[Stream], items: list[str]) -> None:
    operation, stream = Recorded(), kind("a", "b")
    assert list(StreamProxy(stream, operation)) == items
    assert operation.reports == [*(("chunk", item) for item in items), ("exhausted", None)]
    assert getattr(stream, "number", 2) == 2


def test_an_iterator_dropped_while_another_reads_ends_nothing() -> None:
    operation, dropped = Recorded(), list[Iterator[Any]]()

    class Drops(PassesOnOnly):
        def _read(self, items: tuple[Any, ...]) -> Iterator[Any]:
            yield items[0]
            dropped.clear()
            self.marks.append(current_mark())
            yield from items[1:]

    stream = Drops("a", "b")
    proxy: Any = StreamProxy(stream, operation)
    dropped.append(iter(proxy))
    assert next(dropped[0]) == "a"
    assert list(proxy) == ["b"]
    assert stream.marks == [operation]
    assert current_mark() is None
    assert operation.reports == [("chunk", "a"), ("chunk", "b"), ("exhausted", None)]


def test_a_stream_that_another_thread_closes_restores_the_context() -> None:
    operation = Recorded()

    class Closed(PassesOnOnly):
        def _read(self, items: tuple[Any, ...]) -> Iterator[Any]:
            yield items[0]
            thread = Thread(target=proxy.close)
            thread.start()
            thread.join()
            raise ConnectionError("closed")

    proxy: Any = StreamProxy(Closed("a"), operation)
    with pytest.raises(ConnectionError):
        list(proxy)
    assert current_mark() is None
    assert operation.reports == [("chunk", "a"), ("abandoned",)]


def test_a_wrapped_iteration_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def note(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Iterator[Any]:
        for item in wrapped(*args, **kwargs):
            yield item * 2

    wrapper: Any = wrapt.FunctionWrapper(PassesOnOnly.__iter__, note)
    monkeypatch.setattr(PassesOnOnly, "__iter__", wrapper)
    operation = Recorded()
    assert list(StreamProxy(PassesOnOnly("a", "b"), operation)) == ["aa", "bb"]
    assert operation.reports == [("chunk", "aa"), ("chunk", "bb"), ("exhausted", None)]


def test_what_is_thrown_into_an_iterator_comes_back() -> None:
    operation = Recorded()
    proxy: Any = StreamProxy(Stream("a", "b"), operation)
    reader: Any = iter(proxy)
    assert next(reader) == "a"
    with pytest.raises(KeyError):
        reader.throw(KeyError("mine"))
    assert list(proxy) == ["b"]
    assert operation.reports == [("chunk", "a"), ("chunk", "b"), ("exhausted", None)]
    assert current_mark() is None

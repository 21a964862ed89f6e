"""An iterable inside a response is followed and keeps its type and oddities."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from types import AsyncGeneratorType, GeneratorType
from typing import Any

import pytest
from core_recording import Answering, current_mark, settle
from toyaws import AioEventStream, EventStream, Raw

from otel_agents.instrumentors._core.calls.reporting import HIDDEN
from otel_agents.instrumentors._core.calls.results import follow, follow_held

A, B = {"chunk": b"a"}, {"chunk": b"b"}
READ = [("chunk", A), ("chunk", B), ("exhausted", None)]
LEFT = [("chunk", A), ("abandoned",)]
Drain = Callable[[Any, int | None], Any]


def pull(stream: Any, most: int | None = None) -> list[Any]:
    """The items, ``most`` at most, then a ``break``."""
    items: list[Any] = []
    for item in stream:
        items.append(item)
        if len(items) == most:
            break
    return items


def apull(stream: Any, most: int | None = None) -> list[Any]:
    async def main() -> list[Any]:
        items: list[Any] = []
        async for item in stream:
            items.append(item)
            if len(items) == most:
                break
        return items

    return asyncio.run(main())


KINDS: list[tuple[type[EventStream], Drain]] = [(EventStream, pull), (AioEventStream, apull)]
each_kind = pytest.mark.parametrize(("kind", "drain"), KINDS, ids=["sync", "async"])


@each_kind
def test_read_to_its_end_it_is_one_operation(kind: type[EventStream], drain: Drain) -> None:
    operation = Answering()
    stream = follow(operation, kind(Raw(b"ab")))
    assert operation.reports == []
    assert drain(stream, None) == [A, B]
    assert drain(stream, None) == []
    stream.close()
    del stream
    settle()
    assert operation.reports == READ


@each_kind
def test_it_is_read_in_its_own_context_and_in_no_other(
    kind: type[EventStream], drain: Drain
) -> None:
    operation, marks = Answering(), list[Any]()
    stream = follow(operation, kind(Raw(b"ab", lambda: marks.append(current_mark()))))
    drain(stream, None)
    assert (marks, current_mark()) == ([operation] * 3, None)


@each_kind
def test_it_stays_what_it_is(kind: type[EventStream], drain: Drain) -> None:
    plain = kind(Raw(b""))
    stream = follow(Answering(), plain)
    assert type(stream) is not kind
    assert isinstance(stream, EventStream)
    assert stream.__class__ is kind
    for abstract in (Iterable, Iterator, AsyncIterable, AsyncIterator):
        assert isinstance(stream, abstract) == isinstance(plain, abstract), abstract
    assert (dir(stream), repr(stream)) == (dir(plain), repr(plain))
    assert not hasattr(stream, "read")
    drain(stream, None)


@each_kind
def test_what_iterates_it_is_a_generator_as_before(kind: type[EventStream], drain: Drain) -> None:
    stream = follow(Answering(), kind(Raw(b"")))
    if kind is EventStream:
        assert isinstance(iter(stream), GeneratorType)
    else:
        assert isinstance(aiter(stream), AsyncGeneratorType)
    drain(stream, None)


@each_kind
def test_closed_early_it_is_abandoned_once(kind: type[EventStream], drain: Drain) -> None:
    operation, raw = Answering(), Raw(b"ab")
    stream = follow(operation, kind(raw))
    assert drain(stream, 1) == [A]
    assert operation.reports == [("chunk", A)]
    assert (stream.close(), raw.closed) == (None, True)
    assert operation.reports == LEFT
    del stream
    settle()
    assert operation.reports == LEFT


@each_kind
def test_dropped_it_is_abandoned_once(kind: type[EventStream], drain: Drain) -> None:
    operation = Answering()
    stream = follow(operation, kind(Raw(b"ab")))
    assert drain(stream, 1) == [A]
    del stream
    settle()
    assert operation.reports == LEFT


@each_kind
def test_dropped_before_it_was_read_it_is_abandoned(kind: type[EventStream], drain: Drain) -> None:
    operation = Answering()
    follow(operation, kind(Raw(b"ab")))
    settle()
    assert operation.reports == [("abandoned",)]


@each_kind
def test_it_lasts_as_long_as_its_iterator(kind: type[EventStream], drain: Drain) -> None:
    """As in ``for event in client.converse_stream(...)["stream"]``."""
    operation = Answering()
    if kind is EventStream:
        iterating = iter(follow(operation, kind(Raw(b"ab"))))
    else:
        iterating = aiter(follow(operation, kind(Raw(b"ab"))))
    settle()
    assert operation.reports == []
    assert drain(iterating, None) == [A, B]
    assert operation.reports == READ


@each_kind
def test_after_a_break_the_rest_is_read_by_the_next_loop(
    kind: type[EventStream], drain: Drain
) -> None:
    operation = Answering()
    stream = follow(operation, kind(Raw(b"ab")))
    assert [drain(stream, 1), drain(stream, None)] == [[A], [B]]
    assert operation.reports == READ


@each_kind
def test_one_that_breaks_has_failed_with_the_same_error(
    kind: type[EventStream], drain: Drain
) -> None:
    error = ConnectionError("lost")

    def fail() -> None:
        raise error

    operation = Answering()
    stream = follow(operation, kind(Raw(b"ab", fail)))
    with pytest.raises(ConnectionError) as raised:
        drain(stream, None)
    assert raised.value is error
    stream.close()
    assert operation.reports == [("failed", "ConnectionError")]
    assert current_mark() is None


@each_kind
def test_what_comes_after_its_end_is_not_reported(kind: type[EventStream], drain: Drain) -> None:
    """As of a stream that fails and can still be read."""
    errors: list[Exception] = [ConnectionError("lost")]

    def once() -> None:
        while errors:
            raise errors.pop()

    class Retried(kind):  # pyright: ignore[reportUntypedBaseClass, reportGeneralTypeIssues]  one of two
        def _create_raw_event_generator(self) -> Iterator[bytes]:
            return iter(lambda: self.raw.read(1), b"")

    operation = Answering()
    stream = follow(operation, Retried(Raw(b"ab", once)))
    with pytest.raises(ConnectionError):
        drain(stream, None)
    assert drain(stream, None) == [A, B]
    assert operation.reports == [("failed", "ConnectionError")]


@each_kind
def test_an_item_that_the_caller_must_not_see_is_hidden(
    kind: type[EventStream], drain: Drain
) -> None:
    operation = Answering(hides=HIDDEN)
    assert drain(follow(operation, kind(Raw(b"ab"))), None) == []
    assert operation.reports == READ


@each_kind
def test_its_other_attributes_are_as_before(kind: type[EventStream], drain: Drain) -> None:
    operation = Answering()
    stream = follow(operation, kind(Raw(b"ab")))
    assert stream.get_initial_response() == b"a"
    stream.extra = 1
    assert stream.extra == 1
    assert drain(stream, None) == [B]
    assert operation.reports == READ[1:]


def test_a_stream_that_closes_by_awaiting_is_closed_by_awaiting() -> None:
    class Closing:
        closed = False

        async def __aiter__(self) -> AsyncIterator[str]:
            yield "a"

        async def aclose(self) -> str:
            self.closed = True
            return "closed"

    operation, plain = Answering(), Closing()

    async def main() -> str:
        return await follow(operation, plain).aclose()

    assert (asyncio.run(main()), plain.closed) == ("closed", True)
    settle()
    assert operation.reports == [("abandoned",)]


# In a response.


@each_kind
def test_a_response_that_holds_it_is_the_same_dict_with_it_inside(
    kind: type[EventStream], drain: Drain
) -> None:
    operation, response = Answering(), {"stream": kind(Raw(b"ab")), "status": 200}
    returned: dict[str, Any] = follow_held(operation, response, "stream")
    assert returned is response
    assert sorted(returned) == ["status", "stream"]
    assert drain(returned["stream"], None) == [A, B]
    assert operation.reports == READ


@pytest.mark.parametrize("held", [{}, {"stream": None}, {"stream": "text"}, {"stream": [1]}])
def test_a_response_without_a_stream_is_the_result(held: dict[str, Any]) -> None:
    operation, before = Answering(), dict(held)
    assert follow_held(operation, held, "stream") is held
    assert held == before
    assert operation.reports == [("respond", held), ("end",)]


@pytest.mark.parametrize("value", ["text", {"a": 1}, [1, 2], 7, None, object()])
def test_a_value_that_cannot_be_read_later_is_the_result(value: Any) -> None:
    operation = Answering()
    assert follow(operation, value) is value
    assert operation.reports == [("respond", value), ("end",)]

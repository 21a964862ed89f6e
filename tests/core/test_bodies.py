"""A body is one operation that ends when it was read, whichever of its methods reads it."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any

import pytest
from core_recording import Answering, current_mark, settle
from toyaws import AioStreamingBody, Raw, StreamingBody, WrappedBody

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.results import follow, follow_held

TEXT = b'{"usage":\n{"tokens": 7},\n"answer": "sunny"}\n'
VALUE = {"usage": {"tokens": 7}, "answer": "sunny"}
READ = [("observe", VALUE), ("end",)]
LEFT = [("abandoned",)]
Read = Callable[[Any], Any]


def body_of(kind: Any, operation: Answering, raw: Raw | None = None) -> Any:
    return follow(operation, kind(raw or Raw(TEXT)))


def copied(body: Any) -> bytes:
    file = io.BytesIO()
    shutil.copyfileobj(body, file, 8)
    return file.getvalue()


def buffered(body: Any) -> bytes:
    parts: list[bytes] = []
    buffer = bytearray(7)
    while size := body.readinto(buffer):
        parts.append(bytes(buffer[:size]))
    return b"".join(parts)


def entered(body: Any) -> bytes:
    with body as stream:
        return stream.read()


WHOLE: dict[str, Read] = {
    "read": lambda body: body.read(),
    "read of none": lambda body: body.read(None),
    "read of -1": lambda body: body.read(-1),
    "read by name": lambda body: body.read(amt=None),
    "pieces": lambda body: b"".join(iter(lambda: body.read(5), b"")),
    "pieces by name": lambda body: b"".join(iter(lambda: body.read(amt=5), b"")),
    "zero first": lambda body: body.read(0) + body.read(),
    "iteration": lambda body: b"".join(body),
    "chunks": lambda body: b"".join(body.iter_chunks(3)),
    "lines": lambda body: b"".join(body.iter_lines(keepends=True)),
    "readlines": lambda body: b"".join(body.readlines()),
    "readline": lambda body: b"".join(iter(body.readline, b"")),
    "into a buffer": buffered,
    "into a buffered reader": lambda body: io.BufferedReader(body, 8).read(),
    "copied to a file": copied,
    "with": entered,
}


def nexts(body: Any) -> bytes:
    parts: list[bytes] = []
    with contextlib.suppress(StopIteration):
        while True:
            parts.append(next(body))
    return b"".join(parts)


@pytest.mark.parametrize("read", [*WHOLE.values(), nexts], ids=[*WHOLE, "next"])
def test_read_in_any_way_it_is_one_operation_with_its_json(read: Read) -> None:
    operation, marks = Answering(), list[Any]()
    body = body_of(StreamingBody, operation, Raw(TEXT, lambda: marks.append(current_mark())))
    assert operation.reports == []
    assert read(body) == TEXT
    assert operation.reports == READ
    assert set(marks) == {operation}
    assert current_mark() is None
    with contextlib.suppress(ValueError):  # closed, some of them
        body.read()
        body.close()
    del body
    settle()
    assert operation.reports == READ


SIZED: dict[str, Read] = {
    "exactly": lambda body: body.read(len(TEXT)),
    "in one short read": lambda body: body.read(10_000),
    "in two reads": lambda body: body.read(9) + body.read(len(TEXT) - 9),
    "into one buffer": lambda body: bytes((buffer := bytearray(99))[: body.readinto(buffer)]),
    "by next": lambda body: b"".join(next(body) for _ in range(len([*StreamingBody(Raw(TEXT))]))),
}


@pytest.mark.parametrize("read", SIZED.values(), ids=SIZED)
def test_whoever_has_read_its_size_need_not_read_its_end(read: Read) -> None:
    operation = Answering()
    body = follow_held(operation, {"body": StreamingBody(Raw(TEXT))}, "body", size=len(TEXT))[
        "body"
    ]
    assert read(body) == TEXT
    assert operation.reports == READ
    body.close()
    assert operation.reports == READ


def test_a_body_of_which_a_byte_is_left_is_abandoned() -> None:
    operation = Answering()
    body = follow_held(operation, {"body": StreamingBody(Raw(TEXT))}, "body", size=len(TEXT))[
        "body"
    ]
    body.read(len(TEXT) - 1)
    body.close()
    assert operation.reports == LEFT


def test_lines_without_their_ends_have_its_json_too() -> None:
    operation = Answering()
    lines = [*body_of(StreamingBody, operation).iter_lines()]
    assert (lines, operation.reports) == (TEXT.splitlines(), READ)


def test_json_load_reads_it() -> None:
    operation = Answering()
    assert json.load(body_of(StreamingBody, operation)) == VALUE
    assert operation.reports == READ


CLOSED: dict[str, Callable[[Any], object]] = {
    "closed": lambda body: (body.read(3), body.close()),
    "closed unread": lambda body: body.close(),
    "left by with": lambda body: body.__enter__() and body.__exit__(None, None, None),
}
DROPPED: dict[str, Callable[[Any], object]] = {
    "unread": lambda body: None,
    "after a piece": lambda body: body.read(2),
    "after a chunk": lambda body: next(body.iter_chunks(2)),
    "after a next": next,
}


@pytest.mark.parametrize("close", CLOSED.values(), ids=CLOSED)
def test_closed_early_it_is_abandoned_once(close: Callable[[Any], object]) -> None:
    operation, raw = Answering(), Raw(TEXT)
    body = body_of(StreamingBody, operation, raw)
    close(body)
    assert (operation.reports, raw.closed) == (LEFT, True)
    del body
    settle()
    assert operation.reports == LEFT


@pytest.mark.parametrize("use", DROPPED.values(), ids=DROPPED)
def test_dropped_it_is_abandoned_once(use: Callable[[Any], object]) -> None:
    operation = Answering()
    body = body_of(StreamingBody, operation)
    use(body)
    settle()
    assert operation.reports == []
    del body
    settle()
    assert operation.reports == LEFT


KEPT: dict[str, tuple[Callable[[Any], Any], Callable[[Any], bytes]]] = {
    "its chunks": (lambda body: body.iter_chunks(4), b"".join),
    "its lines": (lambda body: body.iter_lines(keepends=True), b"".join),
    "an iterator": (iter, b"".join),
    "a method": (lambda body: body.read, lambda read: read()),
    "what with gave": (lambda body: body.__enter__(), lambda raw: raw.read()),
}


@pytest.mark.parametrize(("keep", "read"), KEPT.values(), ids=KEPT)
def test_it_lasts_as_long_as_it_can_be_read(keep: Read, read: Callable[[Any], bytes]) -> None:
    """As in ``for chunk in client.invoke_model(...)["body"].iter_chunks()``."""
    operation = Answering()
    kept = keep(body_of(StreamingBody, operation))
    settle()
    assert operation.reports == []
    assert read(kept) == TEXT
    assert operation.reports == READ


@pytest.mark.parametrize("kind", [StreamingBody, AioStreamingBody, WrappedBody])
def test_it_stays_what_it_is(kind: Any) -> None:
    """A web framework checks whether it can be iterated, and how."""
    plain = kind(Raw(TEXT))
    body = follow(Answering(), plain)
    assert type(body) is not kind
    assert isinstance(body, kind)
    assert isinstance(body, io.IOBase) == issubclass(kind, io.IOBase)
    for abstract in (Iterable, Iterator, AsyncIterable, AsyncIterator):
        assert isinstance(body, abstract) == isinstance(plain, abstract), abstract
    assert dir(body) == dir(plain)
    body.close()


def test_with_binds_what_it_did() -> None:
    body = body_of(StreamingBody, Answering())
    with body as raw:
        assert isinstance(raw, Raw)
    assert raw.closed


@pytest.mark.parametrize("read", [*WHOLE.values(), nexts], ids=[*WHOLE, "next"])
def test_one_that_breaks_has_failed_with_the_same_error(read: Read) -> None:
    error = ConnectionError("lost")

    def fail() -> None:
        raise error

    operation = Answering()
    body = body_of(StreamingBody, operation, Raw(TEXT, fail))
    with pytest.raises(ConnectionError) as raised:
        read(body)
    assert raised.value is error
    del body, raised
    settle()
    assert operation.reports == [("failed", "ConnectionError")]
    assert current_mark() is None


@pytest.mark.parametrize("text", [b"", b"no json", b'{"cut', b"[" * 100_000])
def test_a_body_that_is_not_json_is_read_and_ends(text: bytes) -> None:
    operation = Answering()
    assert body_of(StreamingBody, operation, Raw(text)).read() == text
    assert operation.reports == [("end",)]


def test_an_internal_error_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    assert body_of(StreamingBody, Answering(breaks_at="end")).read() == TEXT
    body_of(StreamingBody, Answering(breaks_at="abandoned")).close()
    assert caught == ["ending an operation"] * 2 + ["ending an operation"]


def test_a_response_that_holds_it_is_the_same_dict_with_it_inside() -> None:
    operation, response = Answering(), {"body": StreamingBody(Raw(TEXT)), "status": 200}
    assert follow_held(operation, response, "body") is response
    body: Any = response["body"]
    assert (sorted(response), body.read(), operation.reports) == (["body", "status"], TEXT, READ)

"""An httpx response whose body is read later is recorded and not changed."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest
from core_recording import Answering, current_mark, settle

from otel_agents.instrumentors._core.calls import bodies
from otel_agents.instrumentors._core.calls.results import follow

httpx: Any = import_module("httpx2" if find_spec("httpx2") else "httpx")
Response = Any
VALUE = {"usage": {"tokens": 7}}
TEXT = json.dumps(VALUE).encode()
JSON = {"content-type": "application/json"}
EVENTS = {"content-type": "text/event-stream"}


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of several chunks, of which one may be an error."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self._chunks = chunks
        self.closed = False
        self.marks: list[Any] = []

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.marks.append(current_mark())
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def response_of(*chunks: bytes | Exception, headers: dict[str, str] = JSON) -> Response:
    request = httpx.Request("POST", "https://toy.example/")
    return httpx.Response(200, headers=headers, stream=Body(*chunks), request=request)


def observed(
    operation: Answering, *chunks: bytes | Exception, headers: dict[str, str] = JSON
) -> Response:
    """Return the httpx response that an SDK would wrap."""
    response = response_of(*chunks, headers=headers)
    follow(operation, SimpleNamespace(http_response=response))
    return response


async def aread(response: Response) -> bytes:
    return await response.aread()


READS: dict[str, Callable[[Response], bytes]] = {
    "sync": lambda response: response.read(),
    "async": lambda response: asyncio.run(aread(response)),
}
each_read = pytest.mark.parametrize("read", READS.values(), ids=READS)


@each_read
def test_it_is_recorded_when_its_body_is_read(read: Callable[[Response], bytes]) -> None:
    operation = Answering()
    response = observed(operation, TEXT[:3], TEXT[3:])
    assert operation.reports == []
    assert read(response) == TEXT
    assert operation.reports == [("observe", VALUE), ("end",)]
    assert current_mark() is None


@each_read
def test_a_body_that_breaks_is_an_error(read: Callable[[Response], bytes]) -> None:
    error, operation = httpx.ReadError("lost"), Answering()
    response = observed(operation, TEXT[:3], error)
    with pytest.raises(httpx.ReadError) as raised:
        read(response)
    assert raised.value is error
    assert operation.reports == [("failed", "ReadError")]
    assert current_mark() is None


async def aclose(response: Response) -> None:
    await response.aclose()


CLOSES: dict[str, Callable[[Response], object]] = {
    "sync": lambda response: response.close(),
    "async": lambda response: asyncio.run(aclose(response)),
    "dropped": lambda response: None,
}


@pytest.mark.parametrize("close", CLOSES.values(), ids=CLOSES)
def test_a_body_that_is_left_early_is_abandoned(close: Callable[[Response], object]) -> None:
    operation = Answering()
    response = observed(operation, TEXT)
    close(response)
    del response
    settle()
    assert operation.reports == [("abandoned",)]


# Copies.


def before(response: Response) -> None:
    """Nothing is read yet."""


def midway(response: Response) -> None:
    next(response.iter_bytes(chunk_size=2))


def after(response: Response) -> None:
    response.read()


async def amidway(response: Response) -> None:
    await anext(response.aiter_bytes(chunk_size=2))


STATES: dict[str, Callable[[Response], object]] = {
    "before it was read": before,
    "while it is read": midway,
    "after it was read": after,
    "while it is read by awaiting": lambda response: asyncio.run(amidway(response)),
    "after it was read by awaiting": lambda response: asyncio.run(aread(response)),
}
COPIES: dict[str, Callable[[Response], Response]] = {
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
    **{
        f"pickled by protocol {protocol}": lambda response, protocol=protocol: pickle.loads(
            pickle.dumps(response, protocol)
        )
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_a_copy_has_nothing_of_ours(
    state: Callable[[Response], object], make: Callable[[Response], Response]
) -> None:
    """It has the original class and nothing of ours in it."""
    operation = Answering()
    plain, ours = response_of(TEXT), observed(operation, TEXT)
    state(plain)
    state(ours)
    expected, found = make(plain), make(ours)
    assert type(found) is httpx.Response
    assert {*vars(found)} == {*vars(expected)}
    assert {*vars(found)} & {"iter_bytes", "aiter_bytes", "close", "aclose"} == set()
    assert getattr(found, "_content", None) == getattr(expected, "_content", None)
    assert b"otel_agents" not in pickle.dumps(ours)
    reports = list(operation.reports)
    del found
    settle()
    assert operation.reports == reports


def test_the_original_of_a_copy_can_be_read() -> None:
    operation = Answering()
    response = observed(operation, TEXT)
    pickle.dumps(response)
    assert response.read() == TEXT
    assert operation.reports == [("observe", VALUE), ("end",)]


# How much of a body is kept.


@pytest.mark.parametrize("headers", [JSON, EVENTS], ids=["JSON", "a line of events"])
def test_a_body_that_is_too_large_is_not_recorded(
    headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_MAX_BYTES", 100_000)
    operation = Answering()
    response = observed(operation, *[b" " * 10_000] * 400, headers=headers)
    tracemalloc.start()
    try:
        kept = [tracemalloc.get_traced_memory()[0] for _ in response.iter_bytes(chunk_size=5_000)]
    finally:
        tracemalloc.stop()
    assert 50_000 < max(kept) < 300_000
    assert kept[-1] < 50_000
    assert operation.reports == ([("end",)] if headers is JSON else [("exhausted", None)])


def test_events_after_a_line_that_is_too_long_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_MAX_BYTES", 100)
    operation = Answering()
    long = b'data: {"text": "' + b"a" * 200
    response = observed(
        operation, b'data: {"n": 1}\n', long, long, b'"}\ndata: {"n": 2}\n', headers=EVENTS
    )
    response.read()
    assert operation.reports == [("chunk", {"n": 1}), ("chunk", {"n": 2}), ("exhausted", None)]


def test_events_are_recorded_whatever_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_MAX_BYTES", 100)
    operation = Answering()
    observed(operation, *[b'data: {"n": 1}\n'] * 40, headers=EVENTS).read()
    assert operation.reports == [("chunk", {"n": 1})] * 40 + [("exhausted", None)]


def test_a_body_at_the_limit_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_MAX_BYTES", len(TEXT))
    operation = Answering()
    observed(operation, TEXT).read()
    assert operation.reports == [("observe", VALUE), ("end",)]

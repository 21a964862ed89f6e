"""An asynchronous body is one operation that ends when it was read, like a synchronous one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from core_recording import Answering, current_mark, settle
from toyaws import AioStreamingBody, ClientResponse, Raw, WrappedBody

from otel_agents.instrumentors._core.calls.results import follow

TEXT = b'{"usage":\n{"tokens": 7},\n"answer": "sunny"}\n'
READ = [("observe", {"usage": {"tokens": 7}, "answer": "sunny"}), ("end",)]
LEFT = [("abandoned",)]
Read = Callable[[Any], Coroutine[Any, Any, Any]]

KINDS = [AioStreamingBody, WrappedBody]
each_kind = pytest.mark.parametrize("kind", KINDS)


async def whole(body: Any) -> bytes:
    return await body.read()


async def in_chunks(body: Any) -> bytes:
    parts: list[bytes] = []
    while part := await body.read(5):
        parts.append(part)
    return b"".join(parts)


async def iterated(body: Any) -> bytes:
    return b"".join([part async for part in body])


async def chunked(body: Any) -> bytes:
    return b"".join([part async for part in body.iter_chunks(3)])


async def nexts(body: Any) -> bytes:
    parts: list[bytes] = []
    with contextlib.suppress(StopAsyncIteration):
        while True:
            parts.append(await anext(body))
    return b"".join(parts)


async def entered(body: Any) -> bytes:
    async with body as stream:
        return await stream.read()


async def lines(body: Any) -> bytes:
    return b"\n".join([line async for line in body.iter_lines()]) + b"\n"


async def readlines(body: Any) -> bytes:
    return b"\n".join(await body.readlines()) + b"\n"


WHOLE: list[Read] = [whole, in_chunks, iterated, chunked, nexts, entered, lines, readlines]
each_way = pytest.mark.parametrize("read", WHOLE)


@each_kind
@each_way
def test_read_in_any_way_it_is_one_operation_with_its_json(read: Read, kind: Any) -> None:
    operation, marks = Answering(), list[Any]()

    async def main() -> tuple[bytes, Any]:
        body = follow(operation, kind(Raw(TEXT, lambda: marks.append(current_mark()))))
        value = await read(body)
        assert operation.reports == READ
        body.close()
        return value, current_mark()

    assert asyncio.run(main()) == (TEXT, None)
    settle()
    assert operation.reports == READ
    assert set(marks) == {operation}


@each_kind
@each_way
def test_one_that_breaks_has_failed_with_the_same_error(read: Read, kind: Any) -> None:
    error = ConnectionError("lost")

    def fail() -> None:
        raise error

    operation = Answering()
    body = follow(operation, kind(Raw(TEXT, fail)))

    async def main() -> None:
        with pytest.raises(ConnectionError) as raised:
            await read(body)
        assert raised.value is error
        assert current_mark() is None

    asyncio.run(main())
    assert operation.reports == [("failed", "ConnectionError")]


async def closed(body: Any) -> None:
    await body.read(3)
    body.close()


async def left(body: Any) -> None:
    async with body:
        pass


async def dropped(body: Any) -> None:
    await body.read(3)


@each_kind
@pytest.mark.parametrize("leave", [closed, left, dropped])
def test_left_early_it_is_abandoned_once(leave: Read, kind: Any) -> None:
    operation = Answering()
    body = follow(operation, kind(Raw(TEXT)))
    asyncio.run(leave(body))
    assert operation.reports == ([] if leave is dropped else LEFT)
    del body
    settle()
    assert operation.reports == LEFT


def test_closed_by_awaiting_it_is_abandoned_and_closed() -> None:
    operation, raw = Answering(), Raw(TEXT)
    body = follow(operation, AioStreamingBody(raw))
    asyncio.run(body.aclose())
    assert (operation.reports, raw.closed) == (LEFT, True)


@each_kind
def test_it_lasts_while_its_chunks_are_read(kind: Any) -> None:
    operation = Answering()

    async def main() -> bytes:
        chunks = follow(operation, kind(Raw(TEXT))).iter_chunks()
        settle()
        assert operation.reports == []
        return b"".join([chunk async for chunk in chunks])

    assert asyncio.run(main()) == TEXT
    assert operation.reports == READ


def test_async_with_binds_what_it_did() -> None:
    async def main() -> tuple[bool, bool]:
        raw = Raw(TEXT)
        async with follow(Answering(), WrappedBody(raw)) as stream:
            return isinstance(stream, ClientResponse), raw.closed

    assert asyncio.run(main()) == (True, False)


def test_cancelled_while_waiting_it_has_failed() -> None:
    operation = Answering()
    body = follow(operation, Waiting(Raw(TEXT)))

    async def main() -> None:
        task = asyncio.ensure_future(body.read())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert operation.reports == [("failed", "CancelledError")]


class Waiting(AioStreamingBody):
    """A body without data yet."""

    async def read(self, amt: int | None = None) -> bytes:
        await Never()
        return b""


class Never:
    """Waits for ever, without a loop."""

    def __await__(self) -> Any:
        yield

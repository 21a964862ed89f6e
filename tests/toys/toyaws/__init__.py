"""Toys of what botocore and aiobotocore return: event streams and readable bodies.

Each is as odd as the original: one has only ``__iter__``, one is an iterator that is mostly read,
one binds its raw stream in a ``with``, one has an ``__anext__`` that is a generator function.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import wrapt


class Raw(io.BytesIO):
    """The HTTP response below; ``noticed`` is called when something is read, and may raise."""

    def __init__(self, body: bytes, noticed: Callable[[], object] = int) -> None:
        super().__init__(body)
        self._noticed = noticed

    def read(self, amt: int | None = None, /) -> bytes:
        """Read."""
        self._noticed()
        return super().read(amt)

    def readinto(self, buffer: Any, /) -> int:
        """Read into a buffer."""
        self._noticed()
        return super().readinto(buffer)

    def readlines(self, hint: int | None = None, /) -> list[bytes]:
        """Read all lines."""
        self._noticed()
        return super().readlines(hint or -1)


class EventStream:
    """Like botocore's: an iterable that is not an iterator."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self._event_generator = self._create_raw_event_generator()

    def __iter__(self) -> Iterator[Any]:
        for event in self._event_generator:
            yield {"chunk": event}

    def _create_raw_event_generator(self) -> Iterator[bytes]:
        while chunk := self.raw.read(1):
            yield chunk

    def get_initial_response(self) -> bytes:
        """Return the first event."""
        return next(self._event_generator)

    def close(self) -> None:
        """Close the body below."""
        self.raw.close()


class AioEventStream(EventStream):
    """Like aiobotocore's: ``__anext__`` creates the generator that ``__aiter__`` returns."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError("use async for")

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.__anext__()

    async def __anext__(self) -> AsyncIterator[Any]:
        for event in self._event_generator:
            yield {"chunk": event}


class StreamingBody(io.IOBase):
    """Like botocore's: an iterator of chunks, which binds its raw stream in a ``with``."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    def __del__(self) -> None:
        """Leave the body below open."""

    def read(self, amt: int | None = None) -> bytes:
        """Read all, or so many bytes at most."""
        return self.raw.read(amt)

    def readinto(self, b: Any) -> int:
        """Read into a buffer."""
        return self.raw.readinto(b)

    def readable(self) -> bool:
        """Return whether it can be read."""
        return True

    def readlines(self, hint: int | None = None, /) -> list[bytes]:
        """Read all lines."""
        return self.raw.readlines()

    def __iter__(self) -> Any:
        return self.iter_chunks(4)

    def __next__(self) -> bytes:
        if chunk := self.read(4):
            return chunk
        raise StopIteration

    next = __next__

    def __enter__(self) -> Any:
        return self.raw

    def __exit__(self, *exception: object) -> None:
        self.raw.close()

    def iter_lines(self, chunk_size: int = 4, keepends: bool = False) -> Iterator[bytes]:
        """Yield the lines."""
        pending = b""
        for chunk in self.iter_chunks(chunk_size):
            *lines, pending = (pending + chunk).splitlines(True)
            yield from (line.splitlines(keepends)[0] for line in lines)
        if pending:
            yield pending.splitlines(keepends)[0]

    def iter_chunks(self, chunk_size: int = 4) -> Iterator[bytes]:
        """Yield chunks of that size."""
        while chunk := self.read(chunk_size):
            yield chunk

    def tell(self) -> int:
        """Return how much was read."""
        return self.raw.tell()

    def close(self) -> None:
        """Close the body below."""
        self.raw.close()


class _Asynchronous:
    """What both bodies of aiobotocore share."""

    _CHUNK = 4
    raw: Raw

    async def read(self, amt: int | None = None) -> bytes:
        """Read all, or so many bytes at most."""
        return self.raw.read(amt)

    async def readlines(self) -> list[bytes]:
        """Read all lines."""
        return [line async for line in self.iter_lines()]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.iter_chunks(self._CHUNK)

    async def __anext__(self) -> bytes:
        if chunk := await self.read(self._CHUNK):
            return chunk
        raise StopAsyncIteration

    async def iter_lines(self, chunk_size: int = 4) -> AsyncIterator[bytes]:
        """Yield the lines."""
        pending = b""
        async for chunk in self.iter_chunks(chunk_size):
            *lines, pending = (pending + chunk).splitlines(True)
            for line in lines:
                yield line.splitlines()[0]
        if pending:
            yield pending.splitlines()[0]

    async def iter_chunks(self, chunk_size: int = 4) -> AsyncIterator[bytes]:
        """Yield chunks of that size."""
        while chunk := await self.read(chunk_size):
            yield chunk


class AioStreamingBody(_Asynchronous, StreamingBody):  # pyright: ignore[reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]  theirs is one too
    """Like aiobotocore's since 3: a botocore body without its synchronous methods."""

    def __iter__(self) -> Any:
        raise TypeError("use async for")

    def __next__(self) -> bytes:
        raise TypeError("use anext")

    def __enter__(self) -> Any:
        raise TypeError("use async with")

    async def __aenter__(self) -> AioStreamingBody:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the body below."""
        self.close()


class ClientResponse:
    """Like aiohttp's, which aiobotocore's body wrapped up to 2."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw

    async def read(self) -> bytes:
        """Read all."""
        return self.raw.read()

    async def __aenter__(self) -> ClientResponse:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the body below."""
        self.raw.close()


class WrappedBody(_Asynchronous, wrapt.ObjectProxy):  # pyright: ignore[reportMissingTypeArgument, reportUntypedBaseClass, reportIncompatibleMethodOverride]  theirs is one too
    """Like aiobotocore's up to 2: an object proxy, which binds what it wraps in an ``async with``."""

    def __init__(self, raw: Raw) -> None:
        super().__init__(ClientResponse(raw))  # pyright: ignore[reportUnknownMemberType]  untyped

    async def __aenter__(self) -> Any:
        return await self.__wrapped__.__aenter__()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  untyped

    async def __aexit__(self, *exception: object) -> Any:
        return await self.__wrapped__.__aexit__(*exception)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  untyped

"""Toys of what botocore and aiobotocore give back: event streams, and bodies that are read.

Each is as odd as what it stands for: what has ``__iter__`` alone, what is an iterator that everybody
reads, what gives its raw stream to a ``with``, an ``__anext__`` that is a generator function.
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
    """As botocore's: can be iterated, and is no iterator."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self._event_generator = self._create_raw_event_generator()

    def __iter__(self) -> Iterator[Any]:
        for event in self._event_generator:
            yield {"chunk": event}

    def _create_raw_event_generator(self) -> Iterator[bytes]:
        while piece := self.raw.read(1):
            yield piece

    def get_initial_response(self) -> bytes:
        """The first event."""
        return next(self._event_generator)

    def close(self) -> None:
        """Close the body below."""
        self.raw.close()


class AioEventStream(EventStream):
    """As aiobotocore's: ``__anext__`` makes the generator that ``__aiter__`` gives."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError("use async for")

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.__anext__()

    async def __anext__(self) -> AsyncIterator[Any]:
        for event in self._event_generator:
            yield {"chunk": event}


class StreamingBody(io.IOBase):
    """As botocore's: an iterator of pieces, which gives its raw stream to a ``with``."""

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
        """Whether it can be read."""
        return True

    def readlines(self, hint: int | None = None, /) -> list[bytes]:
        """Read all lines."""
        return self.raw.readlines()

    def __iter__(self) -> Any:
        return self.iter_chunks(4)

    def __next__(self) -> bytes:
        if piece := self.read(4):
            return piece
        raise StopIteration

    next = __next__

    def __enter__(self) -> Any:
        return self.raw

    def __exit__(self, *exception: object) -> None:
        self.raw.close()

    def iter_lines(self, chunk_size: int = 4, keepends: bool = False) -> Iterator[bytes]:
        """The lines."""
        pending = b""
        for chunk in self.iter_chunks(chunk_size):
            *lines, pending = (pending + chunk).splitlines(True)
            yield from (line.splitlines(keepends)[0] for line in lines)
        if pending:
            yield pending.splitlines(keepends)[0]

    def iter_chunks(self, chunk_size: int = 4) -> Iterator[bytes]:
        """Pieces of that size."""
        while piece := self.read(chunk_size):
            yield piece

    def tell(self) -> int:
        """How much was read."""
        return self.raw.tell()

    def close(self) -> None:
        """Close the body below."""
        self.raw.close()


class _Asynchronous:
    """What both bodies of aiobotocore have."""

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
        if piece := await self.read(self._CHUNK):
            return piece
        raise StopAsyncIteration

    async def iter_lines(self, chunk_size: int = 4) -> AsyncIterator[bytes]:
        """The lines."""
        pending = b""
        async for chunk in self.iter_chunks(chunk_size):
            *lines, pending = (pending + chunk).splitlines(True)
            for line in lines:
                yield line.splitlines()[0]
        if pending:
            yield pending.splitlines()[0]

    async def iter_chunks(self, chunk_size: int = 4) -> AsyncIterator[bytes]:
        """Pieces of that size."""
        while piece := await self.read(chunk_size):
            yield piece


class AioStreamingBody(_Asynchronous, StreamingBody):  # pyright: ignore[reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]  theirs is one too
    """As aiobotocore's since 3: a body of botocore's whose own ways are shut."""

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
    """As aiohttp's, which aiobotocore's body stood for up to 2."""

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
    """As aiobotocore's up to 2: an object proxy, which gives what it stands for to an ``async with``."""

    def __init__(self, raw: Raw) -> None:
        super().__init__(ClientResponse(raw))  # pyright: ignore[reportUnknownMemberType]  untyped

    async def __aenter__(self) -> Any:
        return await self.__wrapped__.__aenter__()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  untyped

    async def __aexit__(self, *exception: object) -> Any:
        return await self.__wrapped__.__aexit__(*exception)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  untyped

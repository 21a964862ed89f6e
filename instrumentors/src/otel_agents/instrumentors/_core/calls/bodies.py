"""Bodies of responses that the caller reads: what passes by is recorded.

Two kinds: the body of an HTTP response of httpx, below everything that an SDK reads it with, and a
body that is handed to the caller itself.
"""

from __future__ import annotations

import functools
import inspect
import json
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Final

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.importlib_bootstrap import leave_out

from .reporting import exhaust, hidden, report
from .streams import Entered, Steps, following, hook

__all__ = ["Reading", "follow"]

_LIMIT: Final = 32 * 1024 * 1024
"""Bytes that are kept of a JSON body, or of one line of events, to read it; a larger one is left alone."""


def follow(operation: Any, response: Any) -> bool:
    """Record an HTTP response of httpx, now or while its body is read; whether the latter.

    Where its body was read already it is described here, and not ended.
    """
    kind = response.headers.get("content-type", "")
    is_json = "json" in kind
    try:
        body = response.content
    except RuntimeError:  # httpx says so of a body that was not read yet
        _Hooks(Reading(operation, json=is_json, events="event-stream" in kind), response)
        return True
    read = _parsed(body) if is_json else None
    if read is not None:
        operation.respond(read)
    return False


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # cut or not what its header says; the caller will see
        return None


class Reading:
    """A body that is being read: its operation ends with it.

    Args:
        operation: What records it.
        json: The body is one JSON document, from which the operation gathers.
        events: The body is a stream of server-sent events, each a chunk.
    """

    def __init__(self, operation: Any, *, json: bool = False, events: bool = False) -> None:
        self._ended = True  # until it is made to the end
        self._operation = operation
        self._steps = Steps(operation.context)
        self._disposal = following(operation)
        self._events = events
        self._json = json
        self._pieces: list[bytes] = []
        self._size = 0
        self._inside = False  # a body that is read to its end closes its response from there
        self._ended = False

    def _enter(self) -> Entered:
        self._inside = True
        return self._steps.enter()

    def _leave(self, entered: Entered) -> None:
        self._steps.leave(entered)
        self._inside = False

    def pieces(self, pieces: Iterator[Any]) -> Iterator[Any]:
        """The pieces, each recorded as it passes."""
        try:
            while True:
                try:
                    piece = self._one(pieces.__next__, StopIteration)
                except StopIteration:
                    return
                if not self.take(piece):
                    yield piece
        finally:  # what holds nothing but this is closed by that, in its own context
            entered = self._steps.enter()
            del pieces
            self._steps.leave(entered)

    def piece(self, following: Callable[[], Any]) -> Any:
        """One piece, which ``following`` gives; it raises `StopIteration` at the end."""
        piece = self._one(following, StopIteration)
        self.take(piece)
        return piece

    async def pieces_async(self, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The pieces, each recorded as it passes."""
        try:
            while True:
                try:
                    piece = await self._one_async(pieces.__anext__)
                except StopAsyncIteration:
                    return
                if not self.take(piece):
                    yield piece
        finally:  # as in `pieces`
            entered = self._steps.enter()
            del pieces
            self._steps.leave(entered)

    async def piece_async(self, following: Callable[[], Awaitable[Any]]) -> Any:
        """One piece, as `piece` gives it; it raises `StopAsyncIteration` at the end."""
        piece = await self._one_async(following)
        self.take(piece)
        return piece

    def read(self, read: Callable[[], Any], took: Callable[[Any], None]) -> Any:
        """What ``read`` gives, or what awaiting that gives; ``took`` records it."""
        value = self._one(read, None)
        if inspect.isawaitable(value):
            return self._awaited(value, took)
        self._record(took, value)
        return value

    async def _awaited(self, read: Awaitable[Any], took: Callable[[Any], None]) -> Any:
        value = await self._one_async(lambda: read)
        self._record(took, value)
        return value

    def _one(self, following: Callable[[], Any], end: type[BaseException] | None) -> Any:
        entered = self._enter()
        try:
            value = following()
        except BaseException as error:
            self._leave(entered)
            self._raised(error, end)
            raise
        self._leave(entered)
        return value

    async def _one_async(self, following: Callable[[], Awaitable[Any]]) -> Any:
        self._inside = True
        try:
            value = await self._steps.wait(following())
        except BaseException as error:
            self._inside = False
            self._raised(error, StopAsyncIteration)
            raise
        self._inside = False
        return value

    def _raised(self, error: BaseException, end: type[BaseException] | None) -> None:
        if end is not None and isinstance(error, end):
            self.whole()
        elif isinstance(error, GeneratorExit):
            self.dropped()
        else:
            self.failed(error)

    def _record(self, took: Callable[[Any], None], value: Any) -> None:
        try:
            took(value)
        except Exception:
            errors.internal_error("recording a body")

    def took(self, piece: bytes, *, ends: bool) -> None:
        """A piece was read; ``ends`` if it was the last."""
        self.take(piece)
        if ends:
            self.whole()

    def take(self, piece: Any) -> bool:
        """A piece has passed; whether the caller must not see it."""
        if not self._ended:
            if self._events:
                self._take_events(piece)
            elif self._json:
                self._keep(piece)
        return False

    def _keep(self, piece: bytes) -> None:
        """Keep a piece of what is parsed as a whole; nothing of it once it is too large."""
        self._size += len(piece)
        if self._size <= _LIMIT:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def _kept(self) -> bytes:
        """What was kept, to begin anew."""
        kept = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        return kept

    def _take_events(self, piece: bytes) -> None:
        """Report the events whose line is complete; the rest waits for the next piece."""
        first, newline, others = piece.partition(b"\n")
        self._keep(first)
        if not newline:
            return
        *lines, rest = (self._kept() + newline + others).split(b"\n")
        self._keep(rest)
        for line in lines:
            if line.startswith(b"data: [DONE]"):  # readers stop here and close
                self.whole()
                return
            event = _parsed(line[5:]) if line.startswith(b"data:") else None
            if isinstance(event, dict):
                hidden(self._operation, event)

    def whole(self) -> None:
        """The body is at its end."""
        if self._ended:
            return
        self._ended = True
        if self._events:
            exhaust(self._operation)
            return
        read = _parsed(self._kept()) if self._json else None
        if read is not None:
            self._operation.observe(read)
        report(self._operation, self._operation.end)

    def failed(self, error: BaseException) -> None:
        """Reading the body has failed."""
        if not self._ended:
            self._ended = True
            self._disposal.failed(self._operation, error)

    def close(self, close: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What ``close`` gives, by which the caller closes the body."""
        try:
            return self._steps.run(close, *args, **kwargs)
        finally:
            self._closed()

    async def close_async(self, close: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """What awaiting ``close`` gives, by which the caller closes the body."""
        try:
            return await self._steps.wait(close(*args))
        finally:
            self._closed()

    def _closed(self) -> None:
        if not self._ended and not self._inside:
            self._ended = True
            self._disposal.closed(self._operation)

    def dropped(self) -> None:
        """Nobody can read the body any more."""
        if not self._ended:
            self._ended = True
            self._disposal.dropped(self._operation)

    def __del__(self) -> None:
        self.dropped()


class _Hooks:
    """Attributes of an HTTP response, below ``parse``, ``read``, ``iter_lines`` and the rest."""

    def __init__(self, reading: Reading, response: Any) -> None:
        self._reading = reading
        weakref.finalize(response, reading.dropped)  # closed or not, it is gone then
        hooks: dict[str, Any] = {}
        if hasattr(response.stream, "__aiter__"):
            hooks["aiter_bytes"] = self._reading_async(response.aiter_bytes)
            hooks["aclose"] = functools.partial(reading.close_async, response.aclose)
        if hasattr(response.stream, "__iter__"):
            hooks["iter_bytes"] = self._reading_sync(response.iter_bytes)
            hooks["close"] = functools.partial(reading.close, response.close)
        hook(response, hooks)

    def _reading_sync(self, read: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
        return lambda *args, **kwargs: self._reading.pieces(iter(read(*args, **kwargs)))

    def _reading_async(
        self, read: Callable[..., AsyncIterator[bytes]]
    ) -> Callable[..., AsyncIterator[bytes]]:
        return lambda *args, **kwargs: self._reading.pieces_async(aiter(read(*args, **kwargs)))


leave_out(globals())

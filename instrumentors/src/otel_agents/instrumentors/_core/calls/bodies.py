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
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .reporting import report, report_chunk, report_exhausted
from .streams import EnteredContext, ResumableContext, register_stream, replace_methods

__all__ = ["BodyRecorder", "follow"]

_MAX_BYTES: Final = 32 * 1024 * 1024
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
        _ResponseMethods(
            BodyRecorder(operation, json=is_json, events="event-stream" in kind), response
        )
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


class BodyRecorder:
    """A body that is being read: its operation ends with it.

    Args:
        operation: What records it.
        json: The body is one JSON document, from which the operation gathers.
        events: The body is a stream of server-sent events, each a chunk.
    """

    def __init__(self, operation: Any, *, json: bool = False, events: bool = False) -> None:
        self._ended = True  # until it is made to the end
        self._operation = operation
        self._context = ResumableContext(operation.context)
        self._finaliser = register_stream(operation)
        self._events = events
        self._json = json
        self._chunks: list[bytes] = []
        self._size = 0
        self._inside = False  # a body that is read to its end closes its response from there
        self._ended = False

    def _enter(self) -> EnteredContext:
        self._inside = True
        return self._context.enter()

    def _leave(self, entered: EnteredContext) -> None:
        self._context.leave(entered)
        self._inside = False

    def chunks(self, chunks: Iterator[Any]) -> Iterator[Any]:
        """The pieces, each recorded as it passes."""
        try:
            while True:
                try:
                    chunk = self._read_step(chunks.__next__, StopIteration)
                except StopIteration:
                    return
                if not self.record_chunk(chunk):
                    yield chunk
        finally:  # what holds nothing but this is closed by that, in its own context
            entered = self._context.enter()
            del chunks
            self._context.leave(entered)

    def chunk(self, read_next: Callable[[], Any]) -> Any:
        """One piece, which ``read_next`` gives; it raises `StopIteration` at the end."""
        chunk = self._read_step(read_next, StopIteration)
        self.record_chunk(chunk)
        return chunk

    async def chunks_async(self, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The pieces, each recorded as it passes."""
        try:
            while True:
                try:
                    chunk = await self._read_step_async(chunks.__anext__)
                except StopAsyncIteration:
                    return
                if not self.record_chunk(chunk):
                    yield chunk
        finally:  # as in `chunks`
            entered = self._context.enter()
            del chunks
            self._context.leave(entered)

    async def chunk_async(self, read_next: Callable[[], Awaitable[Any]]) -> Any:
        """One piece, as `chunk` gives it; it raises `StopAsyncIteration` at the end."""
        chunk = await self._read_step_async(read_next)
        self.record_chunk(chunk)
        return chunk

    def read(self, read: Callable[[], Any], record: Callable[[Any], None]) -> Any:
        """What ``read`` gives, or what awaiting that gives; ``record`` records it."""
        value = self._read_step(read, None)
        if inspect.isawaitable(value):
            return self._await_read(value, record)
        self._report_read(record, value)
        return value

    async def _await_read(self, read: Awaitable[Any], record: Callable[[Any], None]) -> Any:
        value = await self._read_step_async(lambda: read)
        self._report_read(record, value)
        return value

    def _read_step(self, read_next: Callable[[], Any], end: type[BaseException] | None) -> Any:
        entered = self._enter()
        try:
            value = read_next()
        except BaseException as error:
            self._leave(entered)
            self._raised(error, end)
            raise
        self._leave(entered)
        return value

    async def _read_step_async(self, read_next: Callable[[], Awaitable[Any]]) -> Any:
        self._inside = True
        try:
            value = await self._context.wait(read_next())
        except BaseException as error:
            self._inside = False
            self._raised(error, StopAsyncIteration)
            raise
        self._inside = False
        return value

    def _raised(self, error: BaseException, end: type[BaseException] | None) -> None:
        if end is not None and isinstance(error, end):
            self.completed()
        elif isinstance(error, GeneratorExit):
            self.dropped()
        else:
            self.failed(error)

    def _report_read(self, record: Callable[[Any], None], value: Any) -> None:
        try:
            record(value)
        except Exception:
            errors.internal_error("recording a body")

    def record_read(self, chunk: bytes, *, ends: bool) -> None:
        """A piece was read; ``ends`` if it was the last."""
        self.record_chunk(chunk)
        if ends:
            self.completed()

    def record_chunk(self, chunk: Any) -> bool:
        """A piece has passed; whether the caller must not see it."""
        if not self._ended:
            if self._events:
                self._record_events(chunk)
            elif self._json:
                self._keep(chunk)
        return False

    def _keep(self, chunk: bytes) -> None:
        """Keep a piece of what is parsed as a whole; nothing of it once it is too large."""
        self._size += len(chunk)
        if self._size <= _MAX_BYTES:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    def _take_kept(self) -> bytes:
        """What was kept, to begin anew."""
        kept = b"".join(self._chunks)
        self._chunks, self._size = [], 0
        return kept

    def _record_events(self, chunk: bytes) -> None:
        """Report the events whose line is complete; the rest waits for the next piece."""
        first, newline, others = chunk.partition(b"\n")
        self._keep(first)
        if not newline:
            return
        *lines, rest = (self._take_kept() + newline + others).split(b"\n")
        self._keep(rest)
        for line in lines:
            if line.startswith(b"data: [DONE]"):  # readers stop here and close
                self.completed()
                return
            event = _parsed(line[5:]) if line.startswith(b"data:") else None
            if isinstance(event, dict):
                report_chunk(self._operation, event)

    def completed(self) -> None:
        """The body is at its end."""
        if self._ended:
            return
        self._ended = True
        if self._events:
            report_exhausted(self._operation)
            return
        read = _parsed(self._take_kept()) if self._json else None
        if read is not None:
            self._operation.observe(read)
        report(self._operation, self._operation.end)

    def failed(self, error: BaseException) -> None:
        """Reading the body has failed."""
        if not self._ended:
            self._ended = True
            self._finaliser.failed(self._operation, error)

    def close(self, close: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What ``close`` gives, by which the caller closes the body."""
        try:
            return self._context.run(close, *args, **kwargs)
        finally:
            self._closed()

    async def close_async(self, close: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """What awaiting ``close`` gives, by which the caller closes the body."""
        try:
            return await self._context.wait(close(*args))
        finally:
            self._closed()

    def _closed(self) -> None:
        if not self._ended and not self._inside:
            self._ended = True
            self._finaliser.closed(self._operation)

    def dropped(self) -> None:
        """Nobody can read the body any more."""
        if not self._ended:
            self._ended = True
            self._finaliser.dropped(self._operation)

    def __del__(self) -> None:
        self.dropped()


class _ResponseMethods:
    """Attributes of an HTTP response, below ``parse``, ``read``, ``iter_lines`` and the rest."""

    def __init__(self, recorder: BodyRecorder, response: Any) -> None:
        self._recorder = recorder
        weakref.finalize(response, recorder.dropped)  # closed or not, it is gone then
        methods: dict[str, Any] = {}
        if hasattr(response.stream, "__aiter__"):
            methods["aiter_bytes"] = self._recorded_async(response.aiter_bytes)
            methods["aclose"] = functools.partial(recorder.close_async, response.aclose)
        if hasattr(response.stream, "__iter__"):
            methods["iter_bytes"] = self._recorded(response.iter_bytes)
            methods["close"] = functools.partial(recorder.close, response.close)
        replace_methods(response, methods)

    def _recorded(self, read: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
        return lambda *args, **kwargs: self._recorder.chunks(iter(read(*args, **kwargs)))

    def _recorded_async(
        self, read: Callable[..., AsyncIterator[bytes]]
    ) -> Callable[..., AsyncIterator[bytes]]:
        return lambda *args, **kwargs: self._recorder.chunks_async(aiter(read(*args, **kwargs)))


hide_frames(globals())

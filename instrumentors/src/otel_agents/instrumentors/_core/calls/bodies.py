"""Response bodies that the caller reads: what is read is recorded.

There are two kinds: the body of an httpx response, below everything that an SDK reads it with, and
a body object that the caller gets.
"""

from __future__ import annotations

import functools
import inspect
import json
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any, Final

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .reporting import report, report_chunk, report_exhausted
from .streams import EnteredContext, ResumableContext, register_stream, replace_methods

__all__ = ["BodyRecorder", "Decode", "follow", "parsed"]

Decode = Callable[[bytes], Iterable[Any]]

_MAX_BYTES: Final = 32 * 1024 * 1024
"""Bytes kept of a JSON body, or of one line of events; a larger one is not parsed."""


# The response is httpx's, or httpx2's since openai 3: no environment has both types.
def follow(operation: Any, response: Any, decode: Decode | None = None) -> bool:
    """Record an httpx response, now or while its body is read; return whether the latter.

    A body that was read already is recorded here; the operation is not ended. ``decode`` returns
    the events that a chunk of an unread body completes, where they are not server-sent events.
    """
    kind = response.headers.get("content-type", "")
    is_json = "json" in kind
    try:
        body = response.content
    except RuntimeError:  # httpx raises it if the body was not read yet
        events = "event-stream" in kind
        recorder = BodyRecorder(operation, json=is_json, events=events, decode=decode)
        _ResponseMethods(recorder, response)
        return True
    read = parsed(body) if is_json else None
    if read is not None:
        operation.respond(read)
    return False


def parsed(body: bytes | str) -> Any:
    """Return the JSON in a body; None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # truncated, or not what the header says
        return None


class BodyRecorder:
    """Records a body while it is read, and ends the operation with it.

    Args:
        operation: What records it.
        json: The body is one JSON document, which the operation reads.
        size: The bytes of that document, if known: whoever has read so many has read all of it.
        events: The body is a stream of server-sent events, each a chunk.
        decode: Returns the events that a chunk of the body completes, in any other framing.
    """

    def __init__(
        self,
        operation: Any,
        *,
        json: bool = False,
        size: int | None = None,
        events: bool = False,
        decode: Decode | None = None,
    ) -> None:
        self._ended = True  # until the constructor is done: `__del__` may run before
        self._operation = operation
        self._context = ResumableContext(operation.context)
        self._finalizer = register_stream(operation)
        self._events = events or decode is not None
        self._decode = decode
        self._json = json
        self._expected = size
        self._chunks: list[bytes] = []
        self._size = 0
        self.inside = False  # reading to the end closes the response from inside
        self._ended = False

    def _enter(self) -> EnteredContext:
        self.inside = True
        return self._context.enter()

    def _leave(self, entered: EnteredContext) -> None:
        self._context.leave(entered)
        self.inside = False

    def parse_nothing(self) -> None:
        """Record no more than the end, as of a compressed body."""
        self._events = self._json = False
        self._decode = None

    def iterate(self, chunks: Any) -> Any:
        """Return an iterator of ``chunks``, sync or async as they are, that records each one."""
        asynchronous = hasattr(chunks, "__anext__")
        return self.chunks_async(chunks) if asynchronous else self.chunks(iter(chunks))

    def chunks(self, chunks: Iterator[Any]) -> Iterator[Any]:
        """Yield the chunks; record each one."""
        try:
            while True:
                try:
                    chunk = self._read_step(chunks.__next__, StopIteration)
                except StopIteration:
                    return
                if not self.record_chunk(chunk):
                    yield chunk
        finally:  # `del` may close it: that must run in its context
            entered = self._context.enter()
            del chunks
            self._context.leave(entered)

    def chunk(self, read_next: Callable[[], Any]) -> Any:
        """Return one chunk from ``read_next``, which raises `StopIteration` at the end."""
        chunk = self._read_step(read_next, StopIteration)
        self.record_chunk(chunk)
        return chunk

    async def chunks_async(self, chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield the chunks; record each one."""
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
        """Return one chunk, as `chunk` does; `StopAsyncIteration` is the end."""
        chunk = await self._read_step_async(read_next)
        self.record_chunk(chunk)
        return chunk

    def read(self, read: Callable[[], Any], record: Callable[[Any], None]) -> Any:
        """Return the result of ``read``, or an awaitable of it; ``record`` records it."""
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
        self.inside = True
        try:
            value = await self._context.wait(read_next())
        except BaseException as error:
            self.inside = False
            self._raised(error, StopAsyncIteration)
            raise
        self.inside = False
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
        """Record a chunk that was read; ``ends`` if it was the last."""
        self.record_chunk(chunk)
        if ends:
            self.completed()

    def record_chunk(self, chunk: Any) -> bool:
        """Record a chunk; return whether to hide it from the caller."""
        if not self._ended:
            if self._decode is not None:
                self._record_decoded(self._decode, chunk)
            elif self._events:
                self._record_events(chunk)
            elif self._json:
                self._keep(chunk)
                if self._size == self._expected:  # nobody has to read on, to find no more
                    self.completed()
        return False

    def _record_decoded(self, decode: Decode, chunk: bytes) -> None:
        try:
            for event in decode(chunk):
                report_chunk(self._operation, event)
        except Exception:
            errors.internal_error("recording a body")

    def _keep(self, chunk: bytes) -> None:
        """Keep a chunk of what is parsed as a whole; drop all once it is too large."""
        self._size += len(chunk)
        if self._size <= _MAX_BYTES:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    def _take_kept(self) -> bytes:
        """Return what was kept, and keep nothing."""
        kept = b"".join(self._chunks)
        self._chunks, self._size = [], 0
        return kept

    def _record_events(self, chunk: bytes) -> None:
        """Record the events whose line is complete; keep the rest for the next chunk."""
        first, newline, others = chunk.partition(b"\n")
        self._keep(first)
        if not newline:
            return
        *lines, rest = (self._take_kept() + newline + others).split(b"\n")
        self._keep(rest)
        for line in lines:
            if line.startswith(b"data: [DONE]"):  # SDKs stop reading here and close
                self.completed()
                return
            event = parsed(line[5:]) if line.startswith(b"data:") else None
            if isinstance(event, dict):
                report_chunk(self._operation, event)

    def completed(self) -> None:
        """End the operation: the body was read to its end."""
        if self._ended:
            return
        self._ended = True
        if self._events:
            report_exhausted(self._operation)
            return
        read = parsed(self._take_kept()) if self._json else None
        if read is not None:
            self._operation.observe(read)
        report(self._operation, self._operation.end)

    def failed(self, error: BaseException) -> None:
        """End the operation: reading the body failed."""
        if not self._ended:
            self._ended = True
            self._finalizer.failed(self._operation, error)

    def close(self, close: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call ``close``, by which the caller closes the body, and return its result."""
        try:
            return self._context.run(close, *args, **kwargs)
        finally:
            self._closed()

    async def close_async(self, close: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Await ``close``, by which the caller closes the body, and return its result."""
        try:
            return await self._context.wait(close(*args))
        finally:
            self._closed()

    def _closed(self) -> None:
        if not self._ended and not self.inside:
            self._ended = True
            self._finalizer.closed(self._operation)

    def dropped(self) -> None:
        """End the operation: nobody can read the body any more."""
        if not self._ended:
            self._ended = True
            self._finalizer.dropped(self._operation)

    def __del__(self) -> None:
        self.dropped()


class _ResponseMethods:
    """Replaces methods of an httpx response, below ``parse``, ``read`` and ``iter_lines``."""

    def __init__(self, recorder: BodyRecorder, response: Any) -> None:
        self._recorder = recorder
        self._encoded = "content-encoding" in response.headers
        weakref.finalize(response, recorder.dropped)  # it is gone then, closed or not
        methods: dict[str, Any] = {}
        if hasattr(response.stream, "__aiter__"):
            methods["aiter_bytes"] = self._recorded(response.aiter_bytes)
            methods["aiter_raw"] = self._recorded_raw(response.aiter_raw)
            methods["aclose"] = functools.partial(recorder.close_async, response.aclose)
        if hasattr(response.stream, "__iter__"):
            methods["iter_bytes"] = self._recorded(response.iter_bytes)
            methods["iter_raw"] = self._recorded_raw(response.iter_raw)
            methods["close"] = functools.partial(recorder.close, response.close)
        replace_methods(response, methods)

    def _recorded(self, read: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: self._recorder.iterate(read(*args, **kwargs))

    def _recorded_raw(self, read: Callable[..., Any]) -> Callable[..., Any]:
        """Record what the application reads, not what ``iter_bytes`` decodes."""

        def reading(*args: Any, **kwargs: Any) -> Any:
            chunks = read(*args, **kwargs)
            if self._recorder.inside:
                return chunks
            if self._encoded:
                self._recorder.parse_nothing()
            return self._recorder.iterate(chunks)

        return reading


hide_frames(globals())

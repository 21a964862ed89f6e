"""Results of a request: responses, streams, and raw responses, whose body is read along."""

from __future__ import annotations

import json
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, cast

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls import disposal
from otel_agents.instrumentors._core.calls.reporting import fail, hidden, report
from otel_agents.instrumentors._core.calls.streams import AsyncStreamProxy, StreamProxy
from otel_agents.instrumentors._core.context.identity import Steps
from otel_agents.instrumentors._core.operations import Operation

__all__ = ["follow"]

_BODY_LIMIT: Final = 32 * 1024 * 1024
"""Bytes of a JSON body that are kept to read its usage; a larger one is left alone."""


def follow(operation: Operation, value: Any) -> Any:
    """Record ``value``, now or while it is read; returns what the caller gets."""
    kind = cast(Any, type(value))
    if hasattr(kind, "__anext__"):
        return AsyncStreamProxy(value, operation)
    if hasattr(kind, "__next__"):
        return StreamProxy(value, operation)
    response = getattr(value, "http_response", None)
    if response is None:
        operation.respond(value)
        operation.end()
    else:
        _follow_raw(operation, response)
    return value


def _follow_raw(operation: Operation, response: Any) -> None:
    try:
        body = response.content
    except RuntimeError:  # httpx says so of a body that was not read yet
        _Body(operation, response)
        return
    read = _parsed(body) if _is_json(response) else None
    if read is not None:
        operation.respond(read)
    operation.end()


def _is_json(response: Any) -> bool:
    return "json" in response.headers.get("content-type", "")


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:  # cut or not what its header says; the caller will find out
        return None


class _Body:
    """A body that the caller has yet to read: what passes by is recorded.

    The hooks are attributes of the HTTP response, below everything that the SDK reads it with:
    ``parse``, ``read``, ``iter_lines`` and the rest.
    """

    def __init__(self, operation: Operation, response: Any) -> None:
        self._operation = operation
        self._steps = Steps(operation.context)
        self._events = "event-stream" in response.headers.get("content-type", "")
        self._json = _is_json(response)
        self._pieces: list[bytes] = []
        self._size = 0
        self._ended = False
        self._inside = False  # a body that is read to its end closes its response from there
        weakref.finalize(response, self._dropped)  # closed or not, it is gone then
        if hasattr(response.stream, "__aiter__"):
            response.aiter_bytes = self._reading_async(response.aiter_bytes)
            response.aclose = self._closing_async(response.aclose)
        if hasattr(response.stream, "__iter__"):
            response.iter_bytes = self._reading(response.iter_bytes)
            response.close = self._closing(response.close)

    def _enter(self) -> Context:
        self._inside = True
        return self._steps.enter()

    def _leave(self, outer: Context) -> None:
        self._steps.leave(outer)
        self._inside = False

    def _reading(self, read: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
        def iter_bytes(*args: Any, **kwargs: Any) -> Iterator[bytes]:
            pieces = read(*args, **kwargs)
            while True:
                outer = self._enter()
                try:
                    piece = next(pieces)
                except StopIteration:
                    self._leave(outer)
                    self._whole()
                    return
                except BaseException as error:
                    self._leave(outer)
                    self._failed(error)
                    raise
                self._leave(outer)
                self._take(piece)
                yield piece

        return iter_bytes

    def _reading_async(
        self, read: Callable[..., AsyncIterator[bytes]]
    ) -> Callable[..., AsyncIterator[bytes]]:
        async def aiter_bytes(*args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
            pieces = read(*args, **kwargs)
            while True:
                outer = self._enter()
                try:
                    piece = await anext(pieces)
                except StopAsyncIteration:
                    self._leave(outer)
                    self._whole()
                    return
                except BaseException as error:
                    self._leave(outer)
                    self._failed(error)
                    raise
                self._leave(outer)
                self._take(piece)
                yield piece

        return aiter_bytes

    def _closing(self, close: Callable[[], None]) -> Callable[[], None]:
        def closing() -> None:
            try:
                close()
            finally:
                self._closed()

        return closing

    def _closing_async(self, close: Callable[[], Any]) -> Callable[[], Any]:
        async def closing() -> None:
            try:
                await close()
            finally:
                self._closed()

        return closing

    def _take(self, piece: bytes) -> None:
        if self._ended:
            return
        self._size += len(piece)
        if self._events:
            self._take_events(piece)
        elif self._json and self._size <= _BODY_LIMIT:
            self._pieces.append(piece)

    def _take_events(self, piece: bytes) -> None:
        """Report the events whose line is complete; the rest waits for the next piece."""
        self._pieces.append(piece)
        if b"\n" not in piece:
            return
        *lines, rest = b"".join(self._pieces).split(b"\n")
        self._pieces = [rest]
        for line in lines:
            if line.startswith(b"data: [DONE]"):  # readers stop here and close
                self._whole()
                return
            event = _parsed(line[5:]) if line.startswith(b"data:") else None
            if isinstance(event, dict):
                hidden(self._operation, event)

    def _whole(self) -> None:
        if self._ended:
            return
        self._ended = True
        if self._events:
            report(self._operation, lambda: self._operation.exhausted(None))
            return
        read = _parsed(b"".join(self._pieces)) if self._size <= _BODY_LIMIT else None
        if read is not None:
            self._operation.observe(read)
        report(self._operation, self._operation.end)

    def _failed(self, error: BaseException) -> None:
        if not self._ended:
            self._ended = True
            fail(self._operation, error)

    def _closed(self) -> None:
        if not self._ended and not self._inside:
            self._ended = True
            report(self._operation, self._operation.abandoned)

    def _dropped(self) -> None:
        if not self._ended:
            self._ended = True
            disposal.abandon(self._operation)

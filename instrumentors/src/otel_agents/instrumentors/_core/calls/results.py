"""Results of a model call: a whole response, or something in it that is read later.

An SDK returns a response, a stream, a raw response whose body is recorded while it is read, or a
response with something to iterate or read (``EventStream`` and ``StreamingBody`` of botocore, those
of aiobotocore). What is read later ends the operation when it was read.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol, cast

from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames
from otel_agents.instrumentors._core.tables import Recent

from . import bodies
from .proxy import Proxy
from .reporting import CallObserver, report_chunk, report_exhausted
from .streams import follow_stream

__all__ = ["MODELS", "ResultObserver", "follow", "follow_held", "http_response"]


class ResultObserver(CallObserver, Protocol):
    """An operation that records a result. Any method may raise."""

    def respond(self, value: Any) -> None:
        """Record the whole result."""
        ...

    def observe(self, value: Any) -> None:
        """Record a result that somebody else consumes; raise nothing."""
        ...


def follow(operation: ResultObserver, value: Any) -> Any:
    """Record ``value``, now or while it is read; return what the caller gets."""
    response = http_response(value)
    if response is not None:
        if not bodies.follow(operation, response):
            operation.end()
        return value
    proxy = _follow_unread(operation, value)
    if proxy is not None:
        return proxy
    kind = cast(Any, type(value))
    if hasattr(kind, "__pydantic_extra__"):
        MODELS.put(kind, None)
    operation.respond(_whole(value))
    operation.end()
    return value


MODELS: Final = Recent[type[Any], None](128, bool)
"""Classes of pydantic models that are whole responses: nothing in them is read later."""


def _whole(value: Any) -> Any:
    """Return the JSON object in a response that the caller gets as text or bytes."""
    if isinstance(value, (str, bytes)) and value[:1] in ("{", b"{"):
        whole = bodies.parsed(value)
        return value if whole is None else whole
    return value


def http_response(value: Any) -> Any:
    """Return the httpx response that ``value`` is, or is around; None if it is anything else."""
    if hasattr(cast(Any, type(value)), _HTTPX_ONLY):  # the type that ``client.post`` got
        return value
    return getattr(value, "http_response", None)


_HTTPX_ONLY: Final = "has_redirect_location"
"""An attribute of an httpx response, and of no object that an SDK makes of one."""


def follow_held(
    operation: ResultObserver, response: Any, key: str, *, size: int | None = None
) -> Any:
    """Follow ``response[key]``; record ``response`` if there is nothing to follow.

    Args:
        operation: What records it.
        response: A dict, in which the value is replaced by a proxy.
        key: The key of what is read later.
        size: The bytes of a body, if known: it may be read to its end by their number alone.

    Returns:
        ``response``.
    """
    held = cast("dict[str, Any]", response).get(key)
    proxy = _follow_unread(operation, held, size) if held is not None else None
    if proxy is None:
        operation.respond(response)
        operation.end()
    else:
        response[key] = proxy
    return response


def _follow_unread(operation: ResultObserver, value: Any, size: int | None = None) -> Any:
    """Return a proxy for ``value`` that follows it; None if it is a whole response."""
    kind = cast(Any, type(value))
    asynchronous = hasattr(kind, "__aiter__") or hasattr(kind, "__anext__")
    if hasattr(kind, "read") and any(hasattr(kind, name) for name in _CHUNKED_READS):
        recorder = bodies.BodyRecorder(operation, json=True, size=size)
        return (_AsyncBodyProxy if asynchronous else _BodyProxy)(value, recorder)
    stream = follow_stream(value, operation)
    if stream is not None:
        return stream
    if hasattr(kind, "__aiter__"):
        return _AsyncIterableProxy(value, _ItemRecorder(operation))
    if hasattr(kind, "__iter__") and hasattr(kind, "close"):
        return _IterableProxy(value, _ItemRecorder(operation))
    return None


_CHUNKED_READS: Final = ("__next__", "__anext__", "iter_chunks")
"""A body that is read in chunks has one of these; one without is a whole response."""


class _ItemRecorder(bodies.BodyRecorder):
    """Items that are read one by one, each a chunk."""

    def record_chunk(self, chunk: Any) -> bool:
        """Record an item; return whether to hide it from the caller."""
        return not self._ended and report_chunk(self._operation, chunk)

    def completed(self) -> None:
        """End the operation: there are no more items."""
        if not self._ended:
            self._ended = True
            report_exhausted(self._operation)


class _UnreadProxy(Proxy):
    """Something that is read later by its own methods, recorded by a `bodies.BodyRecorder`.

    The recorder, not this proxy, notices when nobody can read any more: the caller may keep an
    iterator or a bound method and drop the proxy.
    """

    __slots__ = ("_otel_recorder",)
    _otel_recorder: bodies.BodyRecorder

    def __init__(self, wrapped: Any, recorder: bodies.BodyRecorder) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_recorder", recorder)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        wrap_method = _CLOSING_METHODS.get(name)
        return wrap_method(self._otel_recorder, value) if wrap_method is not None else value

    def _otel_entered_value(self, entered: Any) -> Any:
        """Return what a ``with`` binds: this, or another object that is read instead."""
        return self if entered is self._otel_wrapped else entered


class _IterableProxy(_UnreadProxy):
    """An iterable that is not an iterator, as botocore's ``EventStream``."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return self._otel_recorder.chunks(iter(self._otel_wrapped))

    def __enter__(self) -> Any:
        return self._otel_entered_value(self._otel_wrapped.__enter__())

    def __exit__(self, *exception: object) -> Any:
        return self._otel_recorder.close(self._otel_wrapped.__exit__, *exception)


class _AsyncIterableProxy(_UnreadProxy):
    """An async iterable whose ``__anext__``, if any, returns no item, as aiobotocore's.

    There it is an async generator function, and ``__aiter__`` returns what it creates.
    """

    __slots__ = ()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._otel_recorder.chunks_async(aiter(self._otel_wrapped))

    async def __aenter__(self) -> Any:
        return self._otel_entered_value(await self._otel_wrapped.__aenter__())

    async def __aexit__(self, *exception: object) -> Any:
        return await self._otel_recorder.close_async(self._otel_wrapped.__aexit__, *exception)


class _Body(_UnreadProxy):
    """A body that is read as bytes: whole, in chunks, or line by line."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        wrap_method = _READING_METHODS.get(name)
        return wrap_method(self._otel_recorder, value) if wrap_method is not None else value

    def _otel_entered_value(self, entered: Any) -> Any:
        if entered is self._otel_wrapped or not hasattr(cast(Any, type(entered)), "read"):
            return super()._otel_entered_value(entered)
        return type(self)(entered, self._otel_recorder)  # botocore returns the raw stream below


class _BodyProxy(_Body, _IterableProxy):
    __slots__ = ()

    def __next__(self) -> bytes:
        return self._otel_recorder.chunk(self._otel_wrapped.__next__)


class _AsyncBodyProxy(_Body, _AsyncIterableProxy):
    __slots__ = ()

    async def __anext__(self) -> bytes:
        return await self._otel_recorder.chunk_async(self._otel_wrapped.__anext__)


_WrapMethod = Callable[[bodies.BodyRecorder, Callable[..., Any]], Callable[..., Any]]


def _wrap_read(parse: Callable[..., tuple[bytes, bool]]) -> _WrapMethod:
    """Wrap a reading method; ``parse`` returns the bytes read, and whether they are the last."""

    def wrap_method(recorder: bodies.BodyRecorder, read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(*args: Any, **kwargs: Any) -> Any:
            def record_read(value: Any) -> None:
                chunk, ends = parse(value, *args, *kwargs.values())
                recorder.record_read(chunk, ends=ends)

            return recorder.read(lambda: read(*args, **kwargs), record_read)

        return reading

    return wrap_method


def _chunk(chunk: Any, size: int | None = None) -> tuple[bytes, bool]:
    return bytes(chunk), size is None or size < 0 or (not chunk and size != 0)


def _line(line: Any, size: int | None = None) -> tuple[bytes, bool]:
    return bytes(line), not line and size != 0


def _into(size: int, buffer: Any) -> tuple[bytes, bool]:
    view = memoryview(buffer).cast("B")
    return bytes(view[:size]), not size and len(view) > 0


def _lines(lines: Any, hint: int | None = None) -> tuple[bytes, bool]:
    return b"".join(lines), hint is None or not lines


def _wrap_iteration(recorder: bodies.BodyRecorder, make: Callable[..., Any]) -> Callable[..., Any]:
    def iterating(*args: Any, **kwargs: Any) -> Any:
        return recorder.iterate(make(*args, **kwargs))

    return iterating


def _wrap_close(recorder: bodies.BodyRecorder, close: Callable[..., Any]) -> Callable[..., Any]:
    return functools.partial(recorder.close, close)


_CLOSING_METHODS: Final[Mapping[str, _WrapMethod]] = MappingProxyType(
    {"close": _wrap_close, "aclose": _wrap_close}
)
_READING_METHODS: Final[Mapping[str, _WrapMethod]] = MappingProxyType(
    {
        "read": _wrap_read(_chunk),
        "readinto": _wrap_read(_into),
        "readline": _wrap_read(_line),
        "readlines": _wrap_read(_lines),
        "iter_chunks": _wrap_iteration,
        "iter_lines": _wrap_iteration,
        **_CLOSING_METHODS,
    }
)


hide_frames(globals())

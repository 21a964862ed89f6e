"""Results of a model call: a whole response, or something in it that is read later.

An SDK gives back a response, a stream, a raw response whose body is read along, or a response that
holds something which can be iterated or read (botocore's ``EventStream`` and ``StreamingBody``,
those of aiobotocore). What is read later ends the operation when it has been read.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol, cast

from otel_agents.instrumentors._core.importlib_bootstrap import leave_out

from . import bodies
from .proxy import Proxy
from .reporting import CallObserver, exhaust, hidden
from .streams import stream_of

__all__ = ["ResultObserver", "follow", "follow_held"]


class ResultObserver(CallObserver, Protocol):
    """An operation that gathers from a result. Any method may raise."""

    def respond(self, value: Any) -> None:
        """Gather from the whole result."""
        ...

    def observe(self, value: Any) -> None:
        """Gather from a result on its way to somebody else; raises nothing."""
        ...


def follow(operation: ResultObserver, value: Any) -> Any:
    """Record ``value``, now or while it is read; returns what the caller gets."""
    response = getattr(value, "http_response", None)
    if response is not None:
        if not bodies.follow(operation, response):
            operation.end()
        return value
    followed = _followed(operation, value)
    if followed is not None:
        return followed
    operation.respond(value)
    operation.end()
    return value


def follow_held(operation: ResultObserver, response: Any, key: str) -> Any:
    """Follow what ``response``, a dict of its own, holds under ``key``; record it if there is none.

    Returns ``response``, in which what is followed has been put in the place of what it was.
    """
    held = cast("dict[str, Any]", response).get(key)
    followed = _followed(operation, held) if held is not None else None
    if followed is None:
        operation.respond(response)
        operation.end()
    else:
        response[key] = followed
    return response


def _followed(operation: ResultObserver, value: Any) -> Any:
    """``value`` as what it is, followed; None if it is a whole response."""
    kind = cast(Any, type(value))
    asynchronous = hasattr(kind, "__aiter__") or hasattr(kind, "__anext__")
    if hasattr(kind, "read") and any(hasattr(kind, name) for name in _PIECEWISE):
        reading = bodies.Reading(operation, json=True)
        return (_AsyncBodyProxy if asynchronous else _BodyProxy)(value, reading)
    stream = stream_of(value, operation)
    if stream is not None:
        return stream
    if hasattr(kind, "__aiter__"):
        return _AsyncIterableProxy(value, _Items(operation))
    if hasattr(kind, "__iter__") and hasattr(kind, "close"):
        return _IterableProxy(value, _Items(operation))
    return None


_PIECEWISE: Final = ("__next__", "__anext__", "iter_chunks")
"""By one of which a body is read in pieces; what can only be read whole is a response."""


class _Items(bodies.Reading):
    """Items that are read one by one, each a chunk."""

    def take(self, piece: Any) -> bool:
        """An item has passed."""
        return not self._ended and hidden(self._operation, piece)

    def whole(self) -> None:
        """There are no more."""
        if not self._ended:
            self._ended = True
            exhaust(self._operation)


class _ReadLater(Proxy):
    """What is read later, by its own methods; what is read passes a `bodies.Reading`.

    It is the reading that knows when nobody can read any more: an iterator or a method that the
    caller has kept outlives this proxy.
    """

    __slots__ = ("_otel_reading",)
    _otel_reading: bodies.Reading

    def __init__(self, wrapped: Any, reading: bodies.Reading) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_reading", reading)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        watch = _CLOSES.get(name)
        return watch(self._otel_reading, value) if watch is not None else value

    def _otel_entered(self, entered: Any) -> Any:
        """What a ``with`` gives: this, or something of its own that is read instead of it."""
        return self if entered is self._otel_wrapped else entered


class _IterableProxy(_ReadLater):
    """What can be iterated and is no iterator, as botocore's ``EventStream``."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return self._otel_reading.pieces(iter(self._otel_wrapped))

    def __enter__(self) -> Any:
        return self._otel_entered(self._otel_wrapped.__enter__())

    def __exit__(self, *exception: object) -> Any:
        return self._otel_reading.close(self._otel_wrapped.__exit__, *exception)


class _AsyncIterableProxy(_ReadLater):
    """What can be iterated and whose ``__anext__``, if any, gives no item, as aiobotocore's.

    There it is an asynchronous generator function, and ``__aiter__`` gives what it makes.
    """

    __slots__ = ()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._otel_reading.pieces_async(aiter(self._otel_wrapped))

    async def __aenter__(self) -> Any:
        return self._otel_entered(await self._otel_wrapped.__aenter__())

    async def __aexit__(self, *exception: object) -> Any:
        return await self._otel_reading.close_async(self._otel_wrapped.__aexit__, *exception)


class _Body(_ReadLater):
    """A body that is read as bytes: whole, in pieces, or line by line."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        watch = _READS.get(name)
        return watch(self._otel_reading, value) if watch is not None else value

    def _otel_entered(self, entered: Any) -> Any:
        if entered is self._otel_wrapped or not hasattr(cast(Any, type(entered)), "read"):
            return super()._otel_entered(entered)
        return type(self)(entered, self._otel_reading)  # botocore's is the stream below


class _BodyProxy(_Body, _IterableProxy):
    __slots__ = ()

    def __next__(self) -> bytes:
        return self._otel_reading.piece(self._otel_wrapped.__next__)


class _AsyncBodyProxy(_Body, _AsyncIterableProxy):
    __slots__ = ()

    async def __anext__(self) -> bytes:
        return await self._otel_reading.piece_async(self._otel_wrapped.__anext__)


_Watch = Callable[[bodies.Reading, Callable[..., Any]], Callable[..., Any]]


def _reads(taken: Callable[..., tuple[bytes, bool]]) -> _Watch:
    """Of a method that reads; ``taken`` makes of its result and arguments what was read, and if it ends."""

    def watch(reading: bodies.Reading, read: Callable[..., Any]) -> Callable[..., Any]:
        def reads(*args: Any, **kwargs: Any) -> Any:
            def took(value: Any) -> None:
                piece, ends = taken(value, *args, *kwargs.values())
                reading.took(piece, ends=ends)

            return reading.read(lambda: read(*args, **kwargs), took)

        return reads

    return watch


def _piece(piece: Any, size: int | None = None) -> tuple[bytes, bool]:
    return bytes(piece), size is None or size < 0 or (not piece and size != 0)


def _line(line: Any, size: int | None = None) -> tuple[bytes, bool]:
    return bytes(line), not line and size != 0


def _into(size: int, buffer: Any) -> tuple[bytes, bool]:
    view = memoryview(buffer).cast("B")
    return bytes(view[:size]), not size and len(view) > 0


def _lines(lines: Any, hint: int | None = None) -> tuple[bytes, bool]:
    return b"".join(lines), hint is None or not lines


def _iterate(reading: bodies.Reading, make: Callable[..., Any]) -> Callable[..., Any]:
    def iterates(*args: Any, **kwargs: Any) -> Any:
        made = make(*args, **kwargs)
        return (
            reading.pieces_async(made) if hasattr(made, "__anext__") else reading.pieces(iter(made))
        )

    return iterates


def _close(reading: bodies.Reading, close: Callable[..., Any]) -> Callable[..., Any]:
    return functools.partial(reading.close, close)


_CLOSES: Final[Mapping[str, _Watch]] = MappingProxyType({"close": _close, "aclose": _close})
_READS: Final[Mapping[str, _Watch]] = MappingProxyType(
    {
        "read": _reads(_piece),
        "readinto": _reads(_into),
        "readline": _reads(_line),
        "readlines": _reads(_lines),
        "iter_chunks": _iterate,
        "iter_lines": _iterate,
        **_CLOSES,
    }
)


leave_out(globals())

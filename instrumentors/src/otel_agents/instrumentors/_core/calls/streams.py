"""Streams: followed item by item, ended exactly once, of the same type and as lazy as before.

The context of a stream is current while an item is fetched, never across a ``yield``. A stream
that its caller closes, leaves by ``break`` or drops is *abandoned*, which is no error.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextvars import Token
from operator import attrgetter
from types import FunctionType, MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias, cast

from opentelemetry.context import Context

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.current_context import CURRENT
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from . import finalization
from .finalization import Finalizer
from .proxy import Proxy, SoleReference
from .reporting import HIDDEN, StreamObserver, end

__all__ = [
    "AsyncStreamProxy",
    "EnteredContext",
    "ResumableContext",
    "StreamProxy",
    "follow_stream",
    "register_stream",
    "replace_methods",
]

EnteredContext: TypeAlias = tuple[Context, object]
"""The caller's context, and the token of the one attached instead."""


class ResumableContext:
    """The context of work that runs in steps: current in each step, never between two.

    What the work attaches in one step is current again in the next. Closing is a step too: what the
    work attached is detached there and does not leak into its caller.
    """

    __slots__ = ("inner", "inside")

    def __init__(self, inner: Context) -> None:
        self.inner = inner
        """What is current in the next step."""
        self.inside = False
        """Whether a step is running."""

    def enter(self) -> EnteredContext:
        """Start a step; pass the result to `leave`."""
        outer = CURRENT.get()
        self.inside = True
        return outer, CURRENT.set(self.inner)

    def leave(self, entered: EnteredContext) -> None:
        """End a step: restore the caller's context."""
        self.inner = CURRENT.get()
        self.inside = False
        CURRENT.set(entered[0])

    def leave_awaited(self, entered: EnteredContext, error: BaseException) -> None:
        """End a step that was awaited and raised ``error``.

        The step may have been closed while it waited, perhaps by the garbage collector inside
        unrelated work, and may have raised something else then. Otherwise, which the token shows,
        restore the caller's context.
        """
        inner = CURRENT.get()
        self.inside = False
        if finalization.is_generator_exit(error) and inner is not self.inner:
            return
        if not isinstance(entered[1], Token):  # a context implementation other than contextvars
            return self.leave(entered)
        token = cast("Token[Context]", entered[1])
        # The token may be of another task or thread:
        # https://github.com/open-telemetry/opentelemetry-python/issues/2606
        with contextlib.suppress(ValueError):
            token.var.reset(token)
            self.inner = inner

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call ``function`` as a step."""
        entered = self.enter()
        try:
            return function(*args, **kwargs)
        finally:
            self.leave(entered)

    async def wait(self, awaitable: Awaitable[Any]) -> Any:
        """Await ``awaitable`` as a step."""
        entered = self.enter()
        try:
            value = await awaitable
        except BaseException as error:
            self.leave_awaited(entered, error)
            raise
        self.leave(entered)
        return value


def register_stream(observer: StreamObserver) -> Finalizer:
    """Register a new stream of ``observer``; return its finalizer."""
    finalization.OPEN_STREAMS[finalization.next_stream_id()] = observer
    return finalization.QUEUE.ready or finalization.started()


def replace_methods(response: Any, replacements: dict[str, Any]) -> None:
    """Replace methods of ``response``, an httpx response.

    The replacements are left out of pickles and copies, which nobody records.
    """
    state: Callable[[], dict[str, Any]] = response.__getstate__
    hidden = (*replacements, "__getstate__")
    replacements["__getstate__"] = lambda: {k: v for k, v in state().items() if k not in hidden}
    for name, ours in replacements.items():
        setattr(response, name, ours)


_NONE: Final = MappingProxyType[str, Any]({})


class _Steps(ResumableContext):
    """The context of a stream; with it, what fetches an item and what an item is reported to.

    Each chunk needs them all, and a proxy's own attributes are slow: it has a ``__getattr__``.
    """

    __slots__ = ("fetch", "report", "take")

    def __init__(self, observer: StreamObserver) -> None:
        super().__init__(observer.context)
        self.fetch: Any = None
        self.report = observer.chunk
        self.take: Callable[[Any], bool] = _untaken
        """What the observer has returned to record most items; see `StreamObserver.chunk`."""

    def reported(self, item: Any) -> bool:
        """Report ``item``; return whether the caller gets it."""
        try:
            returned: Any = self.report(item)
        except Exception:
            errors.internal_error("recording a chunk")
            return True
        if returned is not None and returned is not HIDDEN:
            self.take = returned
        return returned is not HIDDEN


def _untaken(item: Any) -> bool:
    return False


class _StreamProxyBase(Proxy):
    """The base of both stream proxies: one operation, ended once, also by garbage collection.

    Closing an SDK stream's HTTP response, ``response``, closes the stream too; SDK helpers do that.
    """

    __slots__ = (
        *("_otel_attaches", "_otel_finalizer", "_otel_ended", "_otel_observer"),
        *("_otel_context", "_otel_response"),
    )
    _otel_close_name: ClassVar[str] = "close"
    _otel_read_names: ClassVar[tuple[str, ...]] = ("iter_bytes", "iter_raw")
    _otel_attaches: bool
    _otel_finalizer: Finalizer
    _otel_ended: bool
    _otel_observer: StreamObserver
    _otel_context: _Steps
    _otel_response: _Response | None

    def __init__(self, wrapped: Any, observer: StreamObserver) -> None:
        object.__setattr__(self, "_otel_wrapped", wrapped)
        # Until the constructor is done: `__del__` may run before.
        object.__setattr__(self, "_otel_ended", True)
        object.__setattr__(self, "_otel_observer", observer)
        object.__setattr__(self, "_otel_context", _Steps(observer))
        object.__setattr__(self, "_otel_finalizer", register_stream(observer))
        object.__setattr__(self, "_otel_attaches", False)
        object.__setattr__(self, "_otel_ended", False)
        response: Any = getattr(wrapped, "__dict__", _NONE).get("response")
        kind = cast(Any, type(response))
        needed = (self._otel_close_name, "__getstate__", "__weakref__")
        watched = all(hasattr(kind, name) for name in needed)
        object.__setattr__(self, "_otel_response", _Response(self, response) if watched else None)

    def _otel_closing_response(self, response: Any, watched: _Response) -> Callable[[], Any]:
        """Return the replacement of ``response.close``."""
        close = response.close

        def closing() -> Any:
            try:
                return close()
            finally:
                watched.closed()

        return closing

    def _otel_response_read(self) -> StreamObserver | None:
        """End without an end of the operation: the response is read past this stream."""
        if self._otel_ended:
            return None
        object.__setattr__(self, "_otel_ended", True)
        return self._otel_observer

    # `reporting` has this as a function; here it is inline, as each stream calls it.

    def _otel_exhausted(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            try:
                self._otel_observer.exhausted(None)
            except Exception:
                errors.internal_error("ending an operation")
                end(self._otel_observer)

    def _otel_failed(self, error: BaseException) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            self._otel_finalizer.failed(self._otel_observer, error)

    def _otel_closed(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            self._otel_finalizer.closed(self._otel_observer)

    def _otel_dropped(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            observer, finalizer, response = (
                self._otel_observer,
                self._otel_finalizer,
                self._otel_response,
            )
            if response is None or not response.takes_over(observer, finalizer):
                finalizer.dropped(observer)

    def __del__(self) -> None:
        if not self._otel_ended:
            self._otel_dropped()
            alone = sys.getrefcount(self) == SoleReference.references
            if alone:  # else other destructors may still read it
                self._otel_context.run(self._otel_release)

    def _otel_release(self) -> None:
        """Drop the wrapped stream in its own context: it may detach what it attached there."""
        self._otel_context.fetch = None
        object.__setattr__(self, "_otel_wrapped", None)

    def _otel_entered_value(self, entered: Any) -> Any:
        """Return what a ``with`` binds: this, or another object that is read instead."""
        return self if entered is self._otel_wrapped else entered

    def _otel_closing(self, close: Callable[..., Any]) -> Callable[..., Any]:
        def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return self._otel_context.run(close, *args, **kwargs)
            finally:
                self._otel_closed()

        return closing


class _Response:
    """The httpx response below a stream. The application may read it past the stream.

    It may then hold the response alone; the stream's operation ends with it.

    Args:
        stream: The stream, which this does not keep alive.
        response: Its response, whose methods are replaced.
    """

    __slots__ = ("_exposed", "_finalizer", "_observer", "_response", "_stream")

    # Both untyped: a proxy's own attributes are private by their names.
    def __init__(self, stream: Any, response: Any) -> None:
        self._stream: Callable[[], Any] = weakref.ref(stream)
        self._response: Callable[[], Any] = weakref.ref(response)
        self._observer: StreamObserver | None = None
        self._finalizer: Finalizer | None = None
        self._exposed = False
        methods = {stream._otel_close_name: stream._otel_closing_response(response, self)}
        for name in stream._otel_read_names if _can_follow(stream._otel_observer) else ():
            read = getattr(response, name, None)
            if read is not None:
                methods[name] = self._reading(name, read)
        replace_methods(response, methods)

    def _reading(self, name: str, read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(*args: Any, **kwargs: Any) -> Any:
            if self._is_read_past():
                return getattr(self._response(), name)(*args, **kwargs)
            return read(*args, **kwargs)

        return reading

    def _is_read_past(self) -> bool:
        """Follow the response itself, unless it is the stream that reads it."""
        stream, response = self._stream(), self._response()
        if response is None or getattr(response, "is_stream_consumed", True):
            return False
        if stream is None:
            observer, self._observer = self._observer, None
        else:
            observer = None if stream._otel_context.inside else stream._otel_response_read()
        if observer is None:
            return False
        try:
            cast(Any, observer).follow_response(response)
        except Exception:
            errors.internal_error("following a response")
            end(observer)
        return True

    def expose(self) -> None:
        """Note that the application gets the response: it may drop the stream, and read on."""
        response = self._response()
        unread = response is not None and not getattr(response, "is_stream_consumed", True)
        if unread and not self._exposed:
            self._exposed = True
            weakref.finalize(response, self._dropped).atexit = False

    def takes_over(self, observer: StreamObserver, finalizer: Finalizer) -> bool:
        """Return whether the operation of a stream that was dropped ends with the response."""
        response = self._response()
        if not self._exposed or response is None or response.is_stream_consumed:
            return False
        self._observer, self._finalizer = observer, finalizer
        return True

    def closed(self) -> None:
        """End the stream: its response was closed, but not by reading it to the end."""
        stream = self._stream()
        if stream is None:
            self._end_unread(Finalizer.closed)
        elif not stream._otel_context.inside:
            stream._otel_closed()

    def _dropped(self) -> None:
        self._end_unread(Finalizer.dropped)

    def _end_unread(self, end: Callable[[Finalizer, StreamObserver], None]) -> None:
        observer, self._observer = self._observer, None
        if observer is not None and self._finalizer is not None:
            end(self._finalizer, observer)


def _can_follow(observer: StreamObserver) -> bool:
    return hasattr(observer, "follow_response")


class StreamProxy(_StreamProxyBase):
    """A synchronous stream, followed: an iterator that may also be a context manager."""

    __slots__ = ()

    def __init__(self, wrapped: Any, observer: StreamObserver) -> None:
        super().__init__(wrapped, observer)
        iterator = wrapped if hasattr(wrapped, "__next__") else iter(wrapped)
        self._otel_context.fetch = iterator.__next__

    def __iter__(self) -> Iterator[Any]:
        # The SDKs' streams are read by generators, which are resumed quicker than `__next__` is called.
        stream = self._otel_wrapped
        read = _reader(getattr(cast(Any, type(stream)), "__iter__", None))
        return self if read is None else self._otel_items(read(stream))

    def _otel_items(self, iterator: Iterator[Any]) -> Iterator[Any]:
        # The hot path of all streams: `__next__`, inline.
        context, get, set_, reset = self._otel_context, CURRENT.get, CURRENT.set, CURRENT.reset
        take = context.take
        context.inside = True
        token: Any = set_(context.inner)
        try:
            for item in iterator:
                context.inner = get()
                context.inside = False
                entered, token = token, None  # before it is left: a signal may interrupt here
                reset(entered)
                if take(item):
                    yield item
                elif context.reported(item):
                    take = context.take
                    yield item
                context.inside = True
                token = set_(context.inner)
        except BaseException as error:
            if token is not None:  # else it was closed where it yields
                self._otel_unfetched(token, error)
            raise
        self._otel_unfetched(token, StopIteration())

    def __next__(self) -> Any:
        context = self._otel_context
        while True:
            context.inside = True
            token = CURRENT.set(context.inner)
            try:
                item = context.fetch()
            except BaseException as error:
                self._otel_unfetched(token, error)
                raise
            context.inner = CURRENT.get()
            context.inside = False
            CURRENT.reset(token)
            if context.take(item) or context.reported(item):
                return item

    def _otel_unfetched(self, token: Any, error: BaseException) -> None:
        """End after ``error``, which was raised instead of an item."""
        self._otel_context.inner = CURRENT.get()
        self._otel_context.inside = False
        CURRENT.reset(token)
        if isinstance(error, StopIteration):
            self._otel_exhausted()
        else:
            self._otel_failed(error)

    def __enter__(self) -> Any:
        outer = CURRENT.get()
        entered = self._otel_wrapped.__enter__()
        object.__setattr__(self, "_otel_attaches", CURRENT.get() is not outer)
        return self._otel_entered_value(entered)

    def __exit__(self, *exception: object) -> Any:
        leave = self._otel_wrapped.__exit__
        try:
            if self._otel_attaches:  # then it detaches here, in the caller's context
                return leave(*exception)
            return self._otel_context.run(leave, *exception)
        finally:
            self._otel_closed()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        if name == "response" and self._otel_response is not None:
            self._otel_response.expose()
        return self._otel_closing(value) if name == "close" else value


_BELOW: Final = attrgetter("_iterator")
"""Returns the generator below a stream of an SDK."""


def _reader(method: Any) -> Callable[[Any], Iterator[Any]] | None:
    """Return what reads a stream instead of ``method``, its ``__iter__``; None if no generator does.

    The SDKs' streams keep a generator, and their ``__iter__`` is a second one that only passes on
    what the first one yields: whatever compiles to the code below. A wrapper, as wrapt's, shows the
    code of what it wraps, and is called.
    """
    code, known = getattr(method, "__code__", None), _passing_on.__code__
    if code is None or not code.co_flags & inspect.CO_GENERATOR:
        return None
    passes_on = (code.co_code, code.co_names) == (known.co_code, known.co_names)
    return _BELOW if passes_on and type(method) is FunctionType else iter


def _passing_on(self: Any) -> Iterator[Any]:
    for item in self._iterator:  # noqa: UP028  as the SDKs do
        yield item


class AsyncStreamProxy(_StreamProxyBase):
    """An asynchronous stream, followed; see `StreamProxy`."""

    __slots__ = ()
    _otel_close_name = "aclose"
    _otel_read_names = ("aiter_bytes", "aiter_raw")

    def __init__(self, wrapped: Any, observer: StreamObserver) -> None:
        super().__init__(wrapped, observer)
        iterator = wrapped if hasattr(wrapped, "__anext__") else aiter(wrapped)
        self._otel_context.fetch = iterator.__anext__

    def __aiter__(self) -> AsyncStreamProxy:
        return self

    def _otel_closing_response(self, response: Any, watched: _Response) -> Callable[[], Any]:
        close = response.aclose

        async def closing() -> Any:
            try:
                return await close()
            finally:
                watched.closed()

        return closing

    async def __anext__(self) -> Any:
        context = self._otel_context
        while True:
            # As `StreamProxy.__next__`; what is awaited may be closed elsewhere while it waits.
            outer = CURRENT.get()
            context.inside = True
            token = CURRENT.set(context.inner)
            try:
                item = await context.fetch()
            except BaseException as error:
                context.leave_awaited((outer, token), error)
                if isinstance(error, StopAsyncIteration):
                    self._otel_exhausted()
                elif isinstance(error, GeneratorExit):
                    self._otel_dropped()
                else:
                    self._otel_failed(error)
                raise
            context.inner = CURRENT.get()
            context.inside = False
            CURRENT.set(outer)
            if context.take(item) or context.reported(item):
                return item

    async def __aenter__(self) -> Any:
        outer = CURRENT.get()
        entered = await self._otel_wrapped.__aenter__()
        object.__setattr__(self, "_otel_attaches", CURRENT.get() is not outer)
        return self._otel_entered_value(entered)

    async def __aexit__(self, *exception: object) -> Any:
        leave = self._otel_wrapped.__aexit__
        try:
            if self._otel_attaches:  # then it detaches here, in the caller's context
                return await leave(*exception)
            return await self._otel_context.wait(leave(*exception))
        finally:
            self._otel_closed()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        if name == "response" and self._otel_response is not None:
            self._otel_response.expose()
        return self._otel_closing(value) if name in ("close", "aclose") else value

    def _otel_closing(self, close: Callable[..., Any]) -> Callable[..., Any]:
        if not inspect.iscoroutinefunction(close):
            return super()._otel_closing(close)

        async def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return await self._otel_context.wait(close(*args, **kwargs))
            finally:
                self._otel_closed()

        return closing


def follow_stream(value: Any, observer: StreamObserver) -> Any:
    """Follow ``value`` if it is an SDK stream: an iterator without ``read``; else return None."""
    kind = cast(Any, type(value))
    if hasattr(kind, "read"):
        return None
    if hasattr(kind, "__next__"):
        return StreamProxy(value, observer)
    gives = getattr(kind, "__anext__", None)
    if gives is None or inspect.isasyncgenfunction(gives):  # aiobotocore: returns no item
        return None
    return AsyncStreamProxy(value, observer)


hide_frames(globals())

"""Streams: followed item by item, finalised exactly once, their type and laziness kept.

The context of a stream is current while an item is fetched, never across a ``yield``. A stream
that its caller closes, leaves by ``break`` or drops is *abandoned*, which is no error.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import weakref
from collections.abc import Awaitable, Callable
from contextvars import Token
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias, cast

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.importlib_bootstrap import leave_out

from . import disposal
from .disposal import Disposal
from .proxy import Alone, Proxy
from .reporting import HIDDEN, StreamObserver, end

__all__ = [
    "AsyncStreamProxy",
    "Entered",
    "Steps",
    "StreamProxy",
    "following",
    "hook",
    "stream_of",
]

Entered: TypeAlias = tuple[Context, object]
"""The caller's context, and the token of what was attached in its place."""


class Steps:
    """The context of work that runs in steps: current in each step, never between two.

    What the work itself attached in one step is current again in the next. Closing is a step too:
    what the work attached is detached there, and does not stay behind in its caller.
    """

    __slots__ = ("_inner", "inside")

    def __init__(self, inner: Context) -> None:
        self._inner = inner
        self.inside = False
        """Whether a step is being made."""

    def enter(self) -> Entered:
        """Begin a step; for `leave`."""
        outer = get_current()
        self.inside = True
        return outer, attach(self._inner)

    def leave(self, entered: Entered) -> None:
        """End a step: the caller's context is current again."""
        self._inner = get_current()
        self.inside = False
        attach(entered[0])

    def leave_awaited(self, entered: Entered, error: BaseException) -> None:
        """End a step that was awaited and raised ``error``.

        It may have been closed while it waits, maybe by the collector inside any other work, and have
        raised something else then. Where that is not so, which the token knows, it is put back.
        """
        inner = get_current()
        self.inside = False
        if disposal.closes(error) and inner is not self._inner:
            return
        if not isinstance(entered[1], Token):  # of another kind of context than Python's
            return self.leave(entered)
        token = cast("Token[Context]", entered[1])
        with contextlib.suppress(ValueError):  # it is of another task or thread
            token.var.reset(token)
            self._inner = inner

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


def following(observer: StreamObserver) -> Disposal:
    """A stream of ``running`` is being made: it is known, and goes where this is if it is dropped."""
    disposal.OPEN[disposal.next_number()] = observer
    return disposal.QUEUE.ready or disposal.expect()


def hook(holder: Any, hooks: dict[str, Any]) -> None:
    """Put ``hooks`` in the place of methods of ``holder``, a response of httpx.

    They are no part of what is pickled or copied, which goes where nobody reads along.
    """
    state: Callable[[], dict[str, Any]] = holder.__getstate__
    hidden = (*hooks, "__getstate__")
    hooks["__getstate__"] = lambda: {k: v for k, v in state().items() if k not in hidden}
    for name, ours in hooks.items():
        setattr(holder, name, ours)


_NONE: Final = MappingProxyType[str, Any]({})


class _Following(Proxy):
    """What the two stream proxies share: one operation, finalised once, also by collection.

    An SDK's stream can be closed by its HTTP response too, ``response``, as its helpers do it.
    """

    __slots__ = (
        *("_otel_attaches", "_otel_disposal", "_otel_ended", "_otel_next", "_otel_observer"),
        "_otel_steps",
    )
    _otel_closes: ClassVar[str] = "close"
    _otel_attaches: bool
    _otel_disposal: Disposal
    _otel_ended: bool
    _otel_next: Callable[[], Any]
    _otel_observer: StreamObserver
    _otel_steps: Steps

    def __init__(self, wrapped: Any, observer: StreamObserver) -> None:
        object.__setattr__(self, "_otel_wrapped", wrapped)
        object.__setattr__(self, "_otel_ended", True)  # until it is made to the end
        object.__setattr__(self, "_otel_observer", observer)
        object.__setattr__(self, "_otel_steps", Steps(observer.context))
        object.__setattr__(self, "_otel_disposal", following(observer))
        object.__setattr__(self, "_otel_attaches", False)
        object.__setattr__(self, "_otel_ended", False)
        response: Any = getattr(wrapped, "__dict__", _NONE).get("response")
        kind = cast(Any, type(response))
        if hasattr(kind, self._otel_closes) and hasattr(kind, "__getstate__"):
            self._otel_watch(response, weakref.ref(self))

    def _otel_watch(self, response: Any, this: Callable[[], _Following | None]) -> None:
        """Learn from ``response`` that it is closed; it does not keep this alive."""
        close = response.close

        def closing() -> Any:
            try:
                return close()
            finally:
                _Following._otel_response_closed(this())

        hook(response, {"close": closing})

    @staticmethod
    def _otel_response_closed(proxy: _Following | None) -> None:
        """The response was closed; an SDK does so too where reading the stream ends."""
        if proxy is not None and not proxy._otel_steps.inside:
            proxy._otel_closed()

    # The two that are called for each stream do what `reporting` does, without going there.

    def _otel_hides(self, item: Any) -> bool:
        try:
            return self._otel_observer.chunk(item) is HIDDEN
        except Exception:
            errors.internal_error("recording a chunk")
            return False

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
            self._otel_disposal.failed(self._otel_observer, error)

    def _otel_closed(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            self._otel_disposal.closed(self._otel_observer)

    def _otel_dropped(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            self._otel_disposal.dropped(self._otel_observer)

    def __del__(self) -> None:
        if not self._otel_ended:
            self._otel_dropped()
            alone = sys.getrefcount(self) == Alone.references
            if alone:  # else other destructors may read it yet
                self._otel_steps.run(self._otel_let_go)

    def _otel_let_go(self) -> None:
        """Drop what is followed in its own context: it may detach there what it has attached."""
        object.__setattr__(self, "_otel_next", None)
        object.__setattr__(self, "_otel_wrapped", None)

    def _otel_entering(self, entered: Any) -> Any:
        """What a ``with`` gives: this, or something of its own that is read instead of it."""
        return self if entered is self._otel_wrapped else entered

    def _otel_closing(self, close: Callable[..., Any]) -> Callable[..., Any]:
        def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return self._otel_steps.run(close, *args, **kwargs)
            finally:
                self._otel_closed()

        return closing


class StreamProxy(_Following):
    """A synchronous stream, followed: an iterator that may also be a context manager."""

    __slots__ = ()

    def __init__(self, wrapped: Any, observer: StreamObserver) -> None:
        super().__init__(wrapped, observer)
        iterator = wrapped if hasattr(wrapped, "__next__") else iter(wrapped)
        object.__setattr__(self, "_otel_next", iterator.__next__)

    def __iter__(self) -> StreamProxy:
        return self

    def __next__(self) -> Any:
        steps = self._otel_steps
        while True:
            entered = steps.enter()
            try:
                item = self._otel_next()
            except BaseException as error:
                steps.leave(entered)
                if isinstance(error, StopIteration):
                    self._otel_exhausted()
                else:
                    self._otel_failed(error)
                raise
            steps.leave(entered)
            if not self._otel_hides(item):
                return item

    def __enter__(self) -> Any:
        outer = get_current()
        entered = self._otel_wrapped.__enter__()
        object.__setattr__(self, "_otel_attaches", get_current() is not outer)
        return self._otel_entering(entered)

    def __exit__(self, *exception: object) -> Any:
        leave = self._otel_wrapped.__exit__
        try:
            if self._otel_attaches:  # and detaches here, in its caller's context
                return leave(*exception)
            return self._otel_steps.run(leave, *exception)
        finally:
            self._otel_closed()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        return self._otel_closing(value) if name == "close" else value


class AsyncStreamProxy(_Following):
    """An asynchronous stream, followed; see `StreamProxy`."""

    __slots__ = ()
    _otel_closes = "aclose"

    def __init__(self, wrapped: Any, observer: StreamObserver) -> None:
        super().__init__(wrapped, observer)
        iterator = wrapped if hasattr(wrapped, "__anext__") else aiter(wrapped)
        object.__setattr__(self, "_otel_next", iterator.__anext__)

    def __aiter__(self) -> AsyncStreamProxy:
        return self

    def _otel_watch(self, response: Any, this: Callable[[], _Following | None]) -> None:
        close = response.aclose

        async def closing() -> Any:
            try:
                return await close()
            finally:
                _Following._otel_response_closed(this())

        hook(response, {"aclose": closing})

    async def __anext__(self) -> Any:
        steps = self._otel_steps
        while True:
            entered = steps.enter()  # as `Steps.wait`, without a coroutine more for each item
            try:
                item = await self._otel_next()
            except BaseException as error:
                steps.leave_awaited(entered, error)
                if isinstance(error, StopAsyncIteration):
                    self._otel_exhausted()
                elif isinstance(error, GeneratorExit):
                    self._otel_dropped()
                else:
                    self._otel_failed(error)
                raise
            steps.leave(entered)
            if not self._otel_hides(item):
                return item

    async def __aenter__(self) -> Any:
        outer = get_current()
        entered = await self._otel_wrapped.__aenter__()
        object.__setattr__(self, "_otel_attaches", get_current() is not outer)
        return self._otel_entering(entered)

    async def __aexit__(self, *exception: object) -> Any:
        leave = self._otel_wrapped.__aexit__
        try:
            if self._otel_attaches:  # and detaches here, in its caller's context
                return await leave(*exception)
            return await self._otel_steps.wait(leave(*exception))
        finally:
            self._otel_closed()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        return self._otel_closing(value) if name in ("close", "aclose") else value

    def _otel_closing(self, close: Callable[..., Any]) -> Callable[..., Any]:
        if not inspect.iscoroutinefunction(close):
            return super()._otel_closing(close)

        async def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return await self._otel_steps.wait(close(*args, **kwargs))
            finally:
                self._otel_closed()

        return closing


def stream_of(value: Any, observer: StreamObserver) -> Any:
    """``value`` followed, if it is a stream of an SDK: an iterator that cannot be read otherwise."""
    kind = cast(Any, type(value))
    if hasattr(kind, "read"):
        return None
    if hasattr(kind, "__next__"):
        return StreamProxy(value, observer)
    gives = getattr(kind, "__anext__", None)
    if gives is None or inspect.isasyncgenfunction(gives):  # aiobotocore's gives no item
        return None
    return AsyncStreamProxy(value, observer)


leave_out(globals())

"""Streams: followed item by item, finalised exactly once, their type and laziness kept.

The context of a stream is current while an item is fetched, never across a ``yield``. A stream
that its caller closes, leaves by ``break`` or drops is *abandoned*, which is no error.
"""

from __future__ import annotations

import copy
import copyreg
import inspect
import sys
from collections.abc import Callable
from typing import Any, ClassVar, SupportsIndex, cast

from opentelemetry.context import get_current

from . import disposal
from .disposal import Disposal
from .reporting import Followed, exhaust, hidden
from .steps import Steps

__all__ = ["AsyncStreamProxy", "Proxy", "StreamProxy", "stream_of"]


class Proxy:
    """Stands in for an object and shows itself as that object."""

    __slots__ = ("__weakref__", "_otel_wrapped")
    _otel_wrapped: Any

    def __init__(self, wrapped: Any) -> None:
        object.__setattr__(self, "_otel_wrapped", wrapped)

    @property
    def __class__(self) -> type[Any]:
        return cast(Any, type(self._otel_wrapped))

    @__class__.setter
    def __class__(self, value: type[Any]) -> None:
        self._otel_wrapped.__class__ = value

    def __getattr__(self, name: str) -> Any:
        return getattr(self._otel_wrapped, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._otel_wrapped, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._otel_wrapped, name)

    def __dir__(self) -> list[str]:
        return dir(self._otel_wrapped)

    def __repr__(self) -> str:
        return repr(self._otel_wrapped)

    # A copy is one of the object itself: nobody reads it along, and it goes where we are not.

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        reduce = copyreg.dispatch_table.get(cast(Any, type(self._otel_wrapped)))
        if reduce is not None:
            return reduce(self._otel_wrapped)
        return self._otel_wrapped.__reduce_ex__(protocol)

    def __copy__(self) -> Any:
        return copy.copy(self._otel_wrapped)


class _Alone:
    """How many references an object has in its destructor that nobody else refers to."""

    references: ClassVar[int] = 0

    def __del__(self) -> None:
        _Alone.references = sys.getrefcount(self)


_Alone()


class _Following(Proxy):
    """What the two stream proxies share: one operation, finalised once, also by collection."""

    __slots__ = (
        *("_otel_attaches", "_otel_disposal", "_otel_ended", "_otel_next", "_otel_running"),
        "_otel_steps",
    )
    _otel_attaches: bool
    _otel_disposal: Disposal
    _otel_ended: bool
    _otel_next: Callable[[], Any]
    _otel_running: Followed
    _otel_steps: Steps

    def __init__(self, wrapped: Any, running: Followed) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_ended", True)  # until it is made to the end
        object.__setattr__(self, "_otel_running", running)
        object.__setattr__(self, "_otel_steps", Steps(running.context))
        object.__setattr__(self, "_otel_disposal", disposal.expect(running))
        object.__setattr__(self, "_otel_attaches", False)
        object.__setattr__(self, "_otel_ended", False)

    def _otel_exhausted(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            exhaust(self._otel_running)

    def _otel_failed(self, error: BaseException) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            self._otel_disposal.failed(self._otel_running, error)

    def _otel_closed(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            self._otel_disposal.closed(self._otel_running)

    def _otel_dropped(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            self._otel_disposal.dropped(self._otel_running)

    def __del__(self) -> None:
        if not self._otel_ended:
            self._otel_dropped()
            alone = sys.getrefcount(self) == _Alone.references
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

    def __init__(self, wrapped: Any, running: Followed) -> None:
        super().__init__(wrapped, running)
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
            if not hidden(self._otel_running, item):
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

    def __init__(self, wrapped: Any, running: Followed) -> None:
        super().__init__(wrapped, running)
        iterator = wrapped if hasattr(wrapped, "__anext__") else aiter(wrapped)
        object.__setattr__(self, "_otel_next", iterator.__anext__)

    def __aiter__(self) -> AsyncStreamProxy:
        return self

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
            if not hidden(self._otel_running, item):
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


def stream_of(value: Any, running: Followed) -> Any:
    """``value`` followed, if it is a stream of an SDK: an iterator that cannot be read otherwise."""
    kind = cast(Any, type(value))
    if hasattr(kind, "read"):
        return None
    if hasattr(kind, "__next__"):
        return StreamProxy(value, running)
    following = getattr(kind, "__anext__", None)
    if following is None or inspect.isasyncgenfunction(following):  # aiobotocore's gives no item
        return None
    return AsyncStreamProxy(value, running)

"""Streams: followed item by item, finalised exactly once, their type and laziness kept.

The context of a stream is current while an item is fetched, never across a ``yield``. A stream
that its caller closes, leaves by ``break`` or drops is *abandoned*, which is no error.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core import errors

from . import disposal
from .reporting import HIDDEN, Followed, end, fail, report

__all__ = ["AsyncStreamProxy", "Proxy", "Steps", "StreamProxy", "hidden", "stream_of"]


class Steps:
    """The context of work that runs in steps: current in each step, never between two.

    What the work itself attached in one step is current again in the next.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: Context) -> None:
        self._inner = inner

    def enter(self) -> Context:
        """Begin a step; returns the caller's context, for `leave`."""
        outer = get_current()
        attach(self._inner)
        return outer

    def leave(self, outer: Context) -> None:
        """End a step: the caller's context is current again."""
        self._inner = get_current()
        attach(outer)


def hidden(running: Followed, item: Any) -> bool:
    """Report a chunk; whether the caller must not see it."""
    try:
        return running.chunk(item) is HIDDEN
    except Exception:
        errors.internal_error("recording a chunk")
        return False


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


class _Following(Proxy):
    """What the two stream proxies share: one operation, finalised once, also by collection."""

    __slots__ = ("_otel_ended", "_otel_next", "_otel_running", "_otel_steps")
    _otel_ended: bool
    _otel_next: Callable[[], Any]
    _otel_running: Followed
    _otel_steps: Steps

    def __init__(self, wrapped: Any, running: Followed) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_running", running)
        object.__setattr__(self, "_otel_steps", Steps(running.context))
        object.__setattr__(self, "_otel_ended", False)

    def _otel_exhausted(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            try:
                self._otel_running.exhausted(None)
            except Exception:
                errors.internal_error("ending an operation")
                end(self._otel_running)

    def _otel_failed(self, error: BaseException) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            fail(self._otel_running, error)

    def _otel_closed(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            report(self._otel_running, self._otel_running.abandoned)

    def _otel_dropped(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            disposal.abandon(self._otel_running)

    def __del__(self) -> None:
        self._otel_dropped()

    def _otel_closing(self, close: Callable[..., Any]) -> Callable[..., Any]:
        def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return close(*args, **kwargs)
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
            outer = steps.enter()
            try:
                item = self._otel_next()
            except StopIteration:
                steps.leave(outer)
                self._otel_exhausted()
                raise
            except BaseException as error:
                steps.leave(outer)
                self._otel_failed(error)
                raise
            steps.leave(outer)
            if not hidden(self._otel_running, item):
                return item

    def __enter__(self) -> Any:
        entered = self._otel_wrapped.__enter__()
        return self if entered is self._otel_wrapped else entered

    def __exit__(self, *exception: object) -> Any:
        try:
            return self._otel_wrapped.__exit__(*exception)
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
            outer = steps.enter()
            try:
                item = await self._otel_next()
            except StopAsyncIteration:
                steps.leave(outer)
                self._otel_exhausted()
                raise
            except GeneratorExit:  # collected while waiting for an item
                self._otel_dropped()
                raise
            except BaseException as error:
                steps.leave(outer)
                self._otel_failed(error)
                raise
            steps.leave(outer)
            if not hidden(self._otel_running, item):
                return item

    async def __aenter__(self) -> Any:
        entered = await self._otel_wrapped.__aenter__()
        return self if entered is self._otel_wrapped else entered

    async def __aexit__(self, *exception: object) -> Any:
        try:
            return await self._otel_wrapped.__aexit__(*exception)
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
                return await close(*args, **kwargs)
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

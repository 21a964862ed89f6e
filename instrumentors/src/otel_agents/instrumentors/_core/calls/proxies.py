"""Stand-ins that show themselves as what they stand for, and the awaitable ones among them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import Any, cast

from otel_agents.instrumentors._core.context.identity import Steps

from . import disposal
from .reporting import Followed, fail

__all__ = ["AwaitableProxy", "CoroutineProxy", "Proxy"]


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


class AwaitableProxy(Proxy):
    """An awaitable that is not a coroutine: it stays what it is, and awaiting it is followed."""

    __slots__ = ("_otel_follow",)
    _otel_follow: Callable[[], Any]

    def __init__(self, wrapped: Any, follow: Callable[[], Any]) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_follow", follow)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._otel_follow().__await__()


class CoroutineProxy(Proxy):
    """A coroutine that a plain function returned, followed step by step.

    A coroutine of our own around it would not do: closed before its first step, it would leave
    the inner one behind to complain that it was never awaited.

    Args:
        wrapped: The coroutine.
        running: The operation that it belongs to.
        returned: Records the result and gives what the caller gets.
    """

    __slots__ = ("_otel_open", "_otel_returned", "_otel_running", "_otel_steps")
    _otel_open: bool
    _otel_returned: Callable[[Followed, Any], Any]
    _otel_running: Followed
    _otel_steps: Steps

    def __init__(
        self, wrapped: Any, running: Followed, returned: Callable[[Followed, Any], Any]
    ) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_running", running)
        object.__setattr__(self, "_otel_returned", returned)
        object.__setattr__(self, "_otel_steps", Steps(running.context))
        object.__setattr__(self, "_otel_open", False)

    def __await__(self) -> CoroutineProxy:
        return self

    def __iter__(self) -> CoroutineProxy:
        return self

    def __next__(self) -> Any:
        return self._otel_step(self._otel_wrapped.send, None)

    def send(self, value: Any) -> Any:
        """As a coroutine's."""
        return self._otel_step(self._otel_wrapped.send, value)

    def throw(self, *exception: Any) -> Any:
        """As a coroutine's."""
        return self._otel_step(self._otel_wrapped.throw, *exception)

    def close(self) -> None:
        """As a coroutine's; one that has started has failed then."""
        try:
            self._otel_wrapped.close()
        finally:
            self._otel_dropped()

    def _otel_step(self, step: Callable[..., Any], *values: Any) -> Any:
        object.__setattr__(self, "_otel_open", True)
        outer = self._otel_steps.enter()
        try:
            result = step(*values)
        except StopIteration as stop:
            self._otel_steps.leave(outer)
            object.__setattr__(self, "_otel_open", False)
            result = self._otel_returned(self._otel_running, stop.value)
            raise StopIteration(result) from None
        except BaseException as error:
            self._otel_steps.leave(outer)
            object.__setattr__(self, "_otel_open", False)
            fail(self._otel_running, error)
            raise
        self._otel_steps.leave(outer)
        return result

    def _otel_dropped(self) -> None:
        if self._otel_open:
            object.__setattr__(self, "_otel_open", False)
            disposal.dispose(functools.partial(fail, self._otel_running, GeneratorExit()))

    def __del__(self) -> None:
        self._otel_dropped()

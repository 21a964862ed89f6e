"""The context of work that runs in steps: a stream, a generator, a coroutine, a body that is read."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from contextvars import Token
from typing import Any, TypeAlias, cast

from opentelemetry.context import Context, attach, get_current

__all__ = ["Entered", "Steps"]

Entered: TypeAlias = tuple[Context, object]
"""The caller's context, and the token of what was attached in its place."""


class Steps:
    """The context of work that runs in steps: current in each step, never between two.

    What the work itself attached in one step is current again in the next. Closing is a step too:
    what the work attached is detached there, and does not stay behind in its caller.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: Context) -> None:
        self._inner = inner

    def enter(self) -> Entered:
        """Begin a step; for `leave`."""
        outer = get_current()
        return outer, attach(self._inner)

    def leave(self, entered: Entered) -> None:
        """End a step: the caller's context is current again."""
        self._inner = get_current()
        attach(entered[0])

    def leave_awaited(self, entered: Entered, error: BaseException) -> None:
        """End a step that was awaited and raised ``error``.

        By a `GeneratorExit` it is closed while it waits, maybe by the collector, which runs inside
        any other work. Only where that is not so, which the token knows, there is something to
        put back.
        """
        if not isinstance(error, GeneratorExit):
            self.leave(entered)
        elif get_current() is self._inner and isinstance(entered[1], Token):
            token = cast("Token[Context]", entered[1])
            with contextlib.suppress(ValueError):  # it is of another task or thread
                token.var.reset(token)

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

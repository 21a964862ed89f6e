"""Work that runs in steps, each in the work's own context: a stream, a generator, an awaited call."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from contextvars import Token
from typing import Any, Final, Protocol, TypeAlias, cast

import opentelemetry.context
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from . import finalization

__all__ = ["CURRENT", "EnteredContext", "ResumableContext", "current_context"]

EnteredContext: TypeAlias = tuple[Context, object]
"""The caller's context, and the token of the one attached instead."""


class _Current(Protocol):
    """The current context; setting it returns a token."""

    def get(self) -> Context: ...

    def set(self, value: Context, /) -> object: ...


class _Functions:
    """The current context by OpenTelemetry's functions."""

    get = staticmethod(opentelemetry.context.get_current)
    set = staticmethod(opentelemetry.context.attach)


def current_context() -> _Current:
    """Return OpenTelemetry's variable itself, if its context is one.

    Its functions take ten times as long, and each chunk of a stream needs four of them.
    """
    runtime = getattr(opentelemetry.context, "_RUNTIME_CONTEXT", None)
    if type(runtime) is not ContextVarsRuntimeContext:  # one of ``OTEL_PYTHON_CONTEXT``
        return _Functions()
    token = runtime.attach(runtime.get_current())
    runtime.detach(token)
    return token.var


CURRENT: Final = current_context()
"""The current context."""


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


hide_frames(globals())

"""Methods that a library calls back: handlers, processors, hooks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from opentelemetry.context import get_current

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.context.scope import is_suppressed
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .call import Switch

__all__ = ["guarded", "guarded_in_context"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def guarded(action: str, *, switch: Switch | None = None) -> Callable[[_Function], _Function]:
    """Decorate a function, sync or async, that a library calls back: it raises nothing.

    Libraries log the text of an exception that a handler raises, which may quote a prompt, or pass
    it on to the application. A guarded handler logs it as an internal error and returns None. It is
    not called while instrumentation is suppressed or ``switch`` is off.

    Example:
        >>> class Handler:
        ...     @guarded("handling the start of a run")
        ...     def on_start(self, run): ...

    Args:
        action: What failed if it raises, as a participle.
        switch: Off once the handler is uninstalled, while a library may still hold it.
    """

    def failed() -> None:
        errors.internal_error(action)

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def calling(*args: Any, **kwargs: Any) -> Any:
            try:
                if is_suppressed() or (switch is not None and not switch.on):
                    return None
                return function(*args, **kwargs)
            except Exception:
                failed()
                return None

        @functools.wraps(function)
        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            try:
                if is_suppressed() or (switch is not None and not switch.on):
                    return None
                return await function(*args, **kwargs)
            except Exception:
                failed()
                return None

        chosen = awaiting if inspect.iscoroutinefunction(function) else calling
        return cast(_Function, chosen)  # wraps keeps the signature

    return decorate


def guarded_in_context(action: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a plain function that a library calls back at each step; see `guarded`.

    Its first argument is the current context, which the guard has to look up anyway; the caller
    passes the others, by position.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def calling(*args: Any) -> None:
            try:
                context = get_current()
                if not is_suppressed(context):
                    function(context, *args)
            except Exception:
                errors.internal_error(action)

        return calling

    return decorate


hide_frames(globals())

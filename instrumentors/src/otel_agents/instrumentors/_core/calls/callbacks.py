"""Methods of ours that a library calls back: handlers, processors, hooks."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .call import Switch

__all__ = ["guarded"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def guarded(action: str, *, switch: Switch | None = None) -> Callable[[_Function], _Function]:
    """A decorator for a function, sync or async, that a library calls back: what it raises stays here.

    Libraries log what a handler raises with its text, which may quote a prompt, or let it pass to
    the application. Guarded, it is logged as our own and None is returned. While instrumentation is
    suppressed, or ``switch`` is off, the function is not called.

    Example:
        >>> class Handler:
        ...     @guarded("handling the start of a run")
        ...     def on_start(self, run): ...

    Args:
        action: What fails if it fails, as a participle.
        switch: Off once the handler is uninstalled, while a library may still hold it.
    """

    def is_off() -> bool:
        return not is_instrumentation_enabled() or (switch is not None and not switch.on)

    def decorate(function: _Function) -> _Function:
        guard = errors.guarded(action)(function)

        @functools.wraps(function)
        def calling(*args: Any, **kwargs: Any) -> Any:
            return None if is_off() else guard(*args, **kwargs)

        @functools.wraps(function)
        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            return None if is_off() else await guard(*args, **kwargs)

        chosen = awaiting if inspect.iscoroutinefunction(function) else calling
        return cast(_Function, chosen)  # wraps keeps the signature

    return decorate


hide_frames(globals())

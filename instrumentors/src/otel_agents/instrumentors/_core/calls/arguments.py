"""Ways to observe a call by its arguments, for a `Patch` of a function that is called at each request.

They do not describe the call, and make no observation that a call would run in: they cost a third of
what the functions of `watching` do.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, final

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.context.scope import is_suppressed
from otel_agents.instrumentors._core.drivers import (
    Driver,
    async_generator,
    coroutine,
    generator,
    plain,
)
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .call import Bindable, Switch, Wrapping

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["after_by_arguments", "watch_by_arguments", "within_by_arguments"]

_Args: TypeAlias = tuple[Any, ...]
_Kwargs: TypeAlias = dict[str, Any]
_ContextOf: TypeAlias = Callable[[_Args, _Kwargs], Context | None]
"""Returns the context for the arguments of a call."""


@final
class _WatchByArguments:
    def __init__(self, observe: Callable[[Telemetry, _Args, _Kwargs], object]) -> None:
        self._observe = observe

    def bind(self, telemetry: Telemetry) -> Wrapping:
        observe = self._observe

        def wrapping(
            function: Callable[..., Any], switch: Switch, bound: bool
        ) -> Callable[..., Any]:
            def run(args: _Args, kwargs: _Kwargs) -> Any:
                try:
                    if switch.on and not is_suppressed():
                        observe(telemetry, args, kwargs)
                except Exception:
                    errors.internal_error("watching a call")
                return function(*args, **kwargs)

            return _replacement(function)(function, Driver(run))

        return wrapping


@final
class _Within:
    def __init__(self, context_of: _ContextOf) -> None:
        self._context_of = context_of

    def bind(self, telemetry: Telemetry) -> Wrapping:
        context_of = self._context_of

        def wrapping(
            function: Callable[..., Any], switch: Switch, bound: bool
        ) -> Callable[..., Any]:
            def run(args: _Args, kwargs: _Kwargs) -> Any:
                context = None
                try:
                    if switch.on and not is_suppressed():
                        context = context_of(args, kwargs)
                except Exception:
                    errors.internal_error("making a context")
                if context is None:
                    return function(*args, **kwargs)
                outer = get_current()
                attach(context)
                try:
                    return function(*args, **kwargs)
                finally:
                    attach(outer)

            return plain(function, Driver(run))

        return wrapping


def within_by_arguments(context_of: _ContextOf) -> Bindable:
    """Run the call in the context that ``context_of`` returns; in the current one for None.

    For a plain function whose result is not read later. It costs less than `within`.
    """
    return _Within(context_of)


@final
class _AfterByArguments:
    def __init__(self, observe: Callable[[Telemetry, _Args, _Kwargs], object]) -> None:
        self._observe = observe

    def bind(self, telemetry: Telemetry) -> Wrapping:
        observe = self._observe

        def wrapping(
            function: Callable[..., Any], switch: Switch, bound: bool
        ) -> Callable[..., Any]:
            def run(args: _Args, kwargs: _Kwargs) -> Any:
                value = function(*args, **kwargs)
                try:
                    if switch.on and not is_suppressed():
                        observe(telemetry, args, kwargs)
                except Exception:
                    errors.internal_error("watching a call")
                return value

            return plain(function, Driver(run))

        return wrapping


def after_by_arguments(observe: Callable[[Telemetry, _Args, _Kwargs], object]) -> Bindable:
    """Call ``observe(telemetry, args, kwargs)`` after the call, the instance first.

    For a plain function whose result does not matter. It costs less than `after`.
    """
    return _AfterByArguments(observe)


def _replacement(function: Callable[..., Any]) -> Callable[..., Callable[..., Any]]:
    if inspect.iscoroutinefunction(function):
        return coroutine
    if inspect.isasyncgenfunction(function):
        return async_generator
    return generator if inspect.isgeneratorfunction(function) else plain


def watch_by_arguments(observe: Callable[[Telemetry, _Args, _Kwargs], object]) -> Bindable:
    """Call ``observe(telemetry, args, kwargs)`` before the call, the instance first.

    For a function that is called at each request: it costs less than `watch`, which describes the
    call.
    """
    return _WatchByArguments(observe)


hide_frames(globals())

"""Ways to observe or change a call without starting an operation, for a `Patch`.

Example:
    >>> from otel_agents.instrumentors import Patch, after
    >>> def read(telemetry, call, response):
    ...     print("a response came")
    >>> patch = Patch("example.client:Client.read", after(read))
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, final

from opentelemetry.context import Context, attach

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.context.scope import is_suppressed
from otel_agents.instrumentors._core.current_context import CURRENT
from otel_agents.instrumentors._core.drivers import Driver, Run, plain, replace_of
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .around import around, call_of
from .call import Bindable, Call, Start, Switch, Wrapping
from .reporting import Observation

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = [
    "Observation",
    "after",
    "after_by_arguments",
    "attaching",
    "attaching_by_arguments",
    "instead",
    "replacing",
    "watch",
    "watch_by_arguments",
    "within",
    "within_by_arguments",
    "wrapping_of",
]


class _ResultReplacement(Observation):
    """An observation that replaces the result."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def returned(self, value: Any) -> Any:
        return self._make(value)


def watch(observe: Callable[[Telemetry, Call], object]) -> Start:
    """Call ``observe(telemetry, call)`` before the call; start no operation."""

    def start(telemetry: Telemetry, call: Call) -> None:
        observe(telemetry, call)

    return start


def after(
    observe: Callable[[Telemetry, Call, Any], object] | None = None,
    *,
    failed: Callable[[Telemetry, Call, BaseException], object] | None = None,
) -> Start:
    """Call ``observe(telemetry, call, result)`` after the call, or ``failed`` with its error."""

    def start(telemetry: Telemetry, call: Call) -> Observation:
        return Observation(
            returned=observe and functools.partial(observe, telemetry, call),
            failed=failed and functools.partial(failed, telemetry, call),
        )

    return start


def replacing(make: Callable[[Telemetry, Call, Any], Any]) -> Start:
    """Replace the result by ``make(telemetry, call, result)``."""

    def start(telemetry: Telemetry, call: Call) -> Observation:
        return _ResultReplacement(functools.partial(make, telemetry, call))

    return start


def within(context_of: Callable[[Telemetry, Call], Context | None]) -> Start:
    """Run the call in the context that ``context_of`` returns; in the current one for None."""

    def start(telemetry: Telemetry, call: Call) -> Observation | None:
        context = context_of(telemetry, call)
        return Observation(context) if context is not None else None

    return start


@final
class _Instead:
    def __init__(self, make: Callable[[Telemetry, Call], Any]) -> None:
        self._make = make

    def bind(self, telemetry: Telemetry) -> Wrapping:
        def wrapping(
            function: Callable[..., Any], switch: Switch, bound: bool
        ) -> Callable[..., Any]:
            def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
                if not switch.on:
                    return function(*args, **kwargs)
                return self._make(telemetry, call_of(function, args, kwargs, bound))

            return plain(function, Driver(run))

        return wrapping


def instead(make: Callable[[Telemetry, Call], Any]) -> Bindable:
    """Replace the call by ``make(telemetry, call)``; `Call.proceed` runs the original.

    For a plain function. What ``make`` raises reaches the caller.
    """
    return _Instead(make)


_Args: TypeAlias = tuple[Any, ...]
_Kwargs: TypeAlias = dict[str, Any]
_ContextOf: TypeAlias = Callable[[_Args, _Kwargs], Context | None]
"""Returns the context for the arguments of a call."""


@final
class _Attaching:
    def __init__(self, bind: Callable[[Telemetry, Callable[..., Any], bool], _ContextOf]) -> None:
        self._bind = bind

    def bind(self, telemetry: Telemetry) -> Wrapping:
        def wrapping(
            function: Callable[..., Any], switch: Switch, bound: bool
        ) -> Callable[..., Any]:
            context_of = self._bind(telemetry, function, bound)

            def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
                value = function(*args, **kwargs)
                if switch.on and not is_suppressed():
                    try:
                        context = context_of(args, kwargs)
                        if isinstance(context, Context):
                            attach(context)
                    except Exception:
                        errors.internal_error("attaching a context")
                return value

            return plain(function, Driver(run))

        return wrapping


def attaching(context_of: Callable[[Telemetry, Call], Context | None]) -> Bindable:
    """Attach a context after the call, and leave it attached.

    For a function that a library calls inside a `contextvars.Context` copied for one piece of work,
    as LangChain's ``_set_config_context``. The copy dies with the work, so nothing must be
    restored, and restoring when the function returns would be too early.
    """

    def bind(telemetry: Telemetry, function: Callable[..., Any], bound: bool) -> _ContextOf:
        return lambda args, kwargs: context_of(telemetry, call_of(function, args, kwargs, bound))

    return _Attaching(bind)


def attaching_by_arguments(context_of: _ContextOf) -> Bindable:
    """Attach a context after the call, see `attaching`; ``context_of`` gets the arguments.

    For a function that is called at each step: it costs less than to describe the call.
    """
    return _Attaching(lambda telemetry, function, bound: context_of)


@final
class _ByArguments:
    """Runs a call by its arguments, which costs a third of what it costs to describe the call."""

    def __init__(self, make: Callable[[Telemetry, Callable[..., Any], Switch], Run]) -> None:
        self._make = make

    def bind(self, telemetry: Telemetry) -> Wrapping:
        def wrapping(
            function: Callable[..., Any], switch: Switch, bound: bool
        ) -> Callable[..., Any]:
            return replace_of(function)(function, Driver(self._make(telemetry, function, switch)))

        return wrapping


def watch_by_arguments(observe: Callable[[Telemetry, _Args, _Kwargs], object]) -> Bindable:
    """Call ``observe(telemetry, args, kwargs)`` before the call, the instance first; see `watch`.

    For a function that is called at each request.
    """

    def make(telemetry: Telemetry, function: Callable[..., Any], switch: Switch) -> Run:
        def run(args: _Args, kwargs: _Kwargs) -> Any:
            try:
                if switch.on and not is_suppressed():
                    observe(telemetry, args, kwargs)
            except Exception:
                errors.internal_error("watching a call")
            return function(*args, **kwargs)

        return run

    return _ByArguments(make)


def after_by_arguments(observe: Callable[[Telemetry, _Args, _Kwargs], object]) -> Bindable:
    """Call ``observe(telemetry, args, kwargs)`` after the call of a plain function; see `after`."""

    def make(telemetry: Telemetry, function: Callable[..., Any], switch: Switch) -> Run:
        def run(args: _Args, kwargs: _Kwargs) -> Any:
            value = function(*args, **kwargs)
            try:
                if switch.on and not is_suppressed():
                    observe(telemetry, args, kwargs)
            except Exception:
                errors.internal_error("watching a call")
            return value

        return run

    return _ByArguments(make)


def within_by_arguments(context_of: _ContextOf) -> Bindable:
    """Run a call in the context that ``context_of`` returns, in the current one for None.

    For a plain function whose result is not read later; see `within`.
    """

    def make(telemetry: Telemetry, function: Callable[..., Any], switch: Switch) -> Run:
        def run(args: _Args, kwargs: _Kwargs) -> Any:
            context = None
            try:
                if switch.on and not is_suppressed():
                    context = context_of(args, kwargs)
            except Exception:
                errors.internal_error("making a context")
            if context is None:
                return function(*args, **kwargs)
            outer = CURRENT.get()
            CURRENT.set(context)
            try:
                return function(*args, **kwargs)
            finally:
                CURRENT.set(outer)

        return run

    return _ByArguments(make)


def wrapping_of(
    how: Start | Bindable,
    telemetry: Telemetry,
    *,
    overridden: bool = False,
    once_per: Callable[[Call], object] | None = None,
) -> Wrapping:
    """Make the wrapping of a table row from a start, or from what a function above returned."""
    if isinstance(how, Bindable):
        return how.bind(telemetry)
    return around(telemetry, how, overridden=overridden, once_per=once_per)


hide_frames(globals())

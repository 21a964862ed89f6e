"""Run one operation around a patched call: sync, async, generator or async generator.

A framework writes an operation once: a function ``start(telemetry, call)`` that returns a
`CallObserver`, or None to skip the call. This module decides how to run it. The kind of the
*function* decides the kind of its replacement, so that `inspect` sees no difference. The *result*
decides when the operation ends, since a plain function may return a coroutine or a generator.
It is also the one place that handles our own errors: they are logged, and the call goes on.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import Context

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.context.scope import has_no_suppression, is_suppressed
from otel_agents.instrumentors._core.context.started import (
    STARTED,
    StartedOperations,
    innermost,
)
from otel_agents.instrumentors._core.current_context import CURRENT
from otel_agents.instrumentors._core.drivers import (
    Driver,
    Replace,
    Run,
    async_generator,
    coroutine,
    generator,
    replace_of,
)
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames
from otel_agents.instrumentors._core.tables import Recent

from . import finalization
from .call import Call, Reentry, Start, Switch, Wrapping
from .proxies import (
    AwaitableProxy,
    CoroutineProxy,
    follow_async_generator,
    follow_future,
    follow_generator,
    follow_returned_generator,
)
from .reporting import CallObserver, Observation, end, report_failure
from .streams import ResumableContext

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["around", "begin", "call_of", "wrapped"]


def wrapped(
    function: Callable[..., Any], telemetry: Telemetry, start: Start, *, bound: bool = False
) -> Any:
    """Wrap ``function``, so that the operation of ``start`` runs around each call.

    For a function that the caller holds; `Patch` replaces one by its name. ``bound`` means that it
    is a method: its first argument is the instance.
    """
    return around(telemetry, start)(function, Switch(), bound)


def around(
    telemetry: Telemetry,
    start: Start,
    *,
    overridden: bool = False,
    once_per: Callable[[Call], object] | None = None,
) -> Wrapping:
    """Make a wrapping that runs the operation of ``start`` around each call.

    Args:
        telemetry: What the operation emits with.
        start: Starts the operation, or returns None to skip the call.
        overridden: The method is implemented in several classes of a hierarchy, each wrapped: a
            call of another implementation by ``super()`` is part of the same operation.
        once_per: Returns the object of a call. While an operation runs, calls for the same object
            by the same ``start`` are part of it, except within a tool of that operation.
    """
    is_plain = once_per is None and not overridden

    def wrapping(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
        def begin_call(call: Call) -> CallObserver | None:
            if not switch.on:
                return None
            if not is_plain:
                return _begin_once(telemetry, start, call, overridden, once_per)
            call.context = context = CURRENT.get()
            if not has_no_suppression(context) and is_suppressed(context):
                return None
            return begin(start, telemetry, call)

        run, replace = _shape_of(function)
        return replace(function, Driver(run(function, begin_call, bound)))

    return wrapping


def call_of(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], bound: bool
) -> Call:
    """Describe a call of ``function``; the first of ``args`` is the instance if it is bound."""
    holder, rest = (args[0], args[1:]) if bound and args else (None, args)
    return Call(function, holder, rest, kwargs)


_Begin = Callable[[Call], "CallObserver | None"]
_Runner = Callable[[Callable[..., Any], _Begin, bool], Run]


def _shape_of(function: Callable[..., Any]) -> tuple[_Runner, Replace]:
    replace = replace_of(function)
    if replace is coroutine:
        return _deferred_runner(_await), replace
    if replace is async_generator:
        return _deferred_runner(
            lambda observer, created: follow_async_generator(created, observer)
        ), replace
    if replace is generator:
        return _deferred_runner(
            lambda observer, created: follow_generator(created, observer)
        ), replace
    return _plain_runner, replace


def _begin_once(
    telemetry: Telemetry,
    start: Start,
    call: Call,
    overridden: bool,
    once_per: Callable[[Call], object] | None,
) -> CallObserver | None:
    """Start the operation, unless the call is part of one that is running."""
    try:
        reentries = Reentry.of(start, call, overridden, once_per)
    except Exception:
        errors.internal_error("starting an operation")
        return None
    if reentries is None:
        return None
    observer = None if is_suppressed() else begin(start, telemetry, call)
    if observer is None and overridden:  # skip the whole chain, also after a `watch`
        observer = Observation()
    for reentry in reentries if observer is not None else ():
        try:
            reentry.enter(cast(CallObserver, observer))
        except Exception:  # e.g. an observer without weak references
            errors.internal_error("entering an operation")
    return observer


def begin(start: Callable[..., Any], *args: Any) -> Any:
    """Return what ``start(*args)`` starts; if it fails, the operation that it started before.

    It fails, too, if what it returns has no context to run a call in.
    """
    outer, started = STARTED.get(), StartedOperations()
    started.over = False
    STARTED.set(started)
    try:
        observer = start(*args)
        if observer is not None and not isinstance(getattr(observer, "context", None), Context):
            raise TypeError(f"a start returned {type(observer).__name__}, which has no context")
        return observer
    except Exception:
        errors.internal_error("starting an operation")
        return innermost(started)
    except BaseException as error:  # of the application, e.g. a signal: the call is not made
        last = innermost(started)
        if last is not None:
            report_failure(last, error)
        raise
    finally:
        started.over = True
        started.clear()  # what is over may stay in the context, and holds nothing
        if outer is not None and not outer.over:
            STARTED.set(outer)


def _create(observer: CallObserver, call: Call, args: tuple[Any, ...], bound: bool) -> Any:
    """Create the coroutine or generator; only wrong arguments can fail here."""
    try:
        rest = (args[0], *call.args) if bound and args else call.args
        return call.function(*rest, **call.kwargs)
    except BaseException as error:
        report_failure(observer, error)
        raise


def _plain_runner(function: Callable[..., Any], begin: _Begin, bound: bool) -> Run:
    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # A hot path: `call_of`, without its call.
        called_on, rest = (args[0], args[1:]) if bound and args else (None, args)
        call = Call(function, called_on, rest, kwargs)
        observer = begin(call)
        if observer is None:
            return function(*args, **kwargs)
        outer = CURRENT.get()
        CURRENT.set(observer.context)
        try:
            if bound and args:
                value = call.function(args[0], *call.args, **call.kwargs)
            else:
                value = call.function(*call.args, **call.kwargs)
        except BaseException as error:
            CURRENT.set(outer)
            report_failure(observer, error)
            raise
        CURRENT.set(outer)
        if type(value) not in _RESULTS:
            return _follow_result(observer, value)
        try:  # `_record_result`, without its call
            return observer.returned(value)
        except Exception:
            return _not_recorded(observer, value)
        except BaseException as error:
            report_failure(observer, error)
            raise

    return run


def _deferred_runner(follow: Callable[[CallObserver, Any], Any]) -> _Runner:
    """Make a runner for a function whose call only creates what ``follow`` then follows."""

    def runner(function: Callable[..., Any], begin: _Begin, bound: bool) -> Run:
        def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            call = call_of(function, args, kwargs, bound)
            observer = begin(call)
            if observer is None:
                return function(*args, **kwargs)
            return follow(observer, _create(observer, call, args, bound))

        return run

    return runner


def _follow_result(observer: CallObserver, value: Any) -> Any:
    """End the operation now, or when the returned awaitable or generator ends."""
    return _follow_or_record(observer, value, _follow_unfinished)


def _follow_unfinished(observer: CallObserver, value: Any) -> Any:
    """Follow ``value`` if it is an awaitable or a generator; else return None."""
    kind = cast(Any, type(value))
    if kind is CoroutineType:
        return CoroutineProxy(value, observer, _awaited_result)
    if kind is GeneratorType:
        return follow_generator(value, observer)
    if kind is AsyncGeneratorType:
        return follow_async_generator(value, observer)
    if not inspect.isawaitable(value):
        if value.__class__ is kind:
            _RESULTS.put(kind, None)
        return None
    if isinstance(value, asyncio.Future):
        return follow_future(value, observer, _record_result)
    if isinstance(value, Coroutine):  # of a C extension, or already followed
        return CoroutineProxy(value, observer, _awaited_result)
    return AwaitableProxy(value, lambda: _await(observer, value))


async def _await(observer: CallObserver, awaitable: Awaitable[Any]) -> Any:
    # A hot path: `ResumableContext.wait`, without its calls.
    finalizer = finalization.current()
    outer = CURRENT.get()
    token = CURRENT.set(observer.context)
    try:
        value = await awaitable
    except BaseException as error:
        ResumableContext(observer.context).leave_awaited((outer, token), error)
        finalizer.failed(observer, error)
        raise
    CURRENT.set(outer)
    record = _awaited_result if type(value) in _GENERATORS else _record_result
    return record(observer, value)


def _awaited_result(observer: Any, value: Any) -> Any:
    return _follow_or_record(observer, value, _follow_returned_generator)


def _follow_returned_generator(observer: Any, value: Any) -> Any:
    """Follow ``value`` if it is a generator, as of `await model.astream()`; else return None."""
    return follow_returned_generator(value, observer) if type(value) in _GENERATORS else None


_GENERATORS: Final = (GeneratorType, AsyncGeneratorType)
_RESULTS: Final = Recent[type[Any], None](128, bool)
"""Classes of values that are results as they are: to find out takes longer than to look it up."""


def _follow_or_record(observer: Any, value: Any, follow: Callable[[Any, Any], Any]) -> Any:
    """Return ``follow(observer, value)``; if that is None, record ``value`` as the result."""
    try:
        proxy = follow(observer, value)
    except Exception:  # e.g. a value whose `__class__` raises
        errors.internal_error("following a result")
        end(observer)
        return value
    return _record_result(observer, value) if proxy is None else proxy


def _record_result(observer: Any, value: Any) -> Any:
    try:
        return observer.returned(value)
    except Exception:
        return _not_recorded(observer, value)
    except BaseException as error:  # of the application; there is no result
        report_failure(observer, error)
        raise


def _not_recorded(observer: Any, value: Any) -> Any:
    errors.internal_error("recording a result")
    end(observer)
    return value


hide_frames(globals())

"""Drive one operation around a patched call: sync, async, generator or async generator.

A framework writes an operation once: a function ``start(telemetry, call)`` that returns what is
`CallObserver`, or None to stay out. This module decides how to run it. What the function *is* decides the
flavour of the wrapper, so that `inspect` sees no difference; what it *returns* decides when the
operation ends, since a plain function may return a coroutine or a generator. It is also the one
place that decides what happens when code of ours fails: it is logged, and the user's call goes on.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import Context, attach, get_current
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.context.started import (
    STARTED,
    StartedOperations,
    innermost,
)
from otel_agents.instrumentors._core.drivers import (
    Driver,
    Run,
    async_generator,
    coroutine,
    generator,
    replaces,
)
from otel_agents.instrumentors._core.importlib_bootstrap import leave_out

from . import disposal
from .call import Call, Once, Start, Switch, Wrapping
from .proxies import (
    AwaitableProxy,
    CoroutineProxy,
    follow_async_generator,
    follow_future,
    follow_generator,
    follow_given,
)
from .reporting import CallObserver, Observation, end, fail
from .streams import Steps

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["around", "begin", "call_of", "plain", "wrapped"]


def wrapped(
    function: Callable[..., Any], telemetry: Telemetry, start: Start, *, bound: bool = False
) -> Any:
    """``function``, with the operation of ``start`` around each call; for one that is at hand.

    ``bound`` says that it is a method: its first argument is the instance.
    """
    return around(telemetry, start)(function, Switch(), bound)


def around(
    telemetry: Telemetry,
    start: Start,
    *,
    overridden: bool = False,
    once_per: Callable[[Call], object] | None = None,
) -> Wrapping:
    """A wrapping that runs the operation of ``start`` around each call.

    Args:
        telemetry: What the operation emits with.
        start: Begins the operation, or returns None to stay out.
        overridden: The method is implemented in several classes of a hierarchy, each wrapped:
            what an implementation calls by ``super()`` is part of the same operation.
        once_per: A call for the same object, made within the operation that an earlier call has
            begun by the same ``start``, is part of it as long as it lasts; but not within a tool
            of that operation.
    """

    def wrapping(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
        def begin(
            args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> tuple[CallObserver | None, Call]:
            call = call_of(function, args, kwargs, bound)
            if not switch.on:
                return None, call
            if once_per is None and not overridden:
                return _begin(telemetry, start, call), call
            return _begin_once(telemetry, start, call, overridden, once_per), call

        run, stand_in = _flavour(function)
        return stand_in(function, Driver(run(function, begin, bound)))

    return wrapping


def call_of(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], bound: bool
) -> Call:
    """The call of ``function`` with ``args``, of which the first is the instance if it is bound."""
    holder, rest = (args[0], args[1:]) if bound and args else (None, args)
    return Call(function, holder, rest, kwargs)


_Begin = Callable[[tuple[Any, ...], dict[str, Any]], "tuple[CallObserver | None, Call]"]
_Runner = Callable[[Callable[..., Any], _Begin, bool], Run]
_StandIn = Callable[[Callable[..., Any], "Driver | None"], Callable[..., Any]]


def _flavour(function: Callable[..., Any]) -> tuple[_Runner, _StandIn]:
    if inspect.iscoroutinefunction(function):
        return _runner(_await), coroutine
    if inspect.isasyncgenfunction(function):
        return _runner(
            lambda observer, made: follow_async_generator(made, observer)
        ), async_generator
    if inspect.isgeneratorfunction(function):
        return _runner(lambda observer, made: follow_generator(made, observer)), generator
    return _plain_runner, plain


def _begin_once(
    telemetry: Telemetry,
    start: Start,
    call: Call,
    overridden: bool,
    once_per: Callable[[Call], object] | None,
) -> CallObserver | None:
    """Begin, unless this is a part of what an earlier call has begun."""
    try:
        onces = Once.of(start, call, overridden, once_per)
    except Exception:
        errors.internal_error("beginning an operation")
        return None
    if onces is None:
        return None
    observer = _begin(telemetry, start, call)
    if observer is None and overridden:  # it stays out for the whole chain, or has only watched
        observer = Observation()
    for once in onces if observer is not None else ():
        try:
            once.enter(cast(CallObserver, observer))
        except Exception:  # as of one that cannot be referred to weakly
            errors.internal_error("entering an operation")
    return observer


def _begin(telemetry: Telemetry, start: Start, call: Call) -> CallObserver | None:
    return begin(_started, telemetry, start, call)


def begin(start: Callable[..., Any], *args: Any) -> Any:
    """What ``start(*args)`` begins; where it fails, the operation that it has begun by then."""
    outer, begun = STARTED.get(), StartedOperations()
    STARTED.set(begun)
    try:
        return start(*args)
    except Exception:
        errors.internal_error("beginning an operation")
        return innermost(begun)
    except BaseException as error:  # the application's, as by a signal: there will be no call
        last = innermost(begun)
        if last is not None:
            fail(last, error)
        raise
    finally:
        begun.over = True
        STARTED.set(outer)


def _started(telemetry: Telemetry, start: Start, call: Call) -> CallObserver | None:
    """What ``start`` has begun; it raises also where that is nothing to run a call in."""
    observer = start(telemetry, call) if is_instrumentation_enabled() else None
    context: object = observer.context if observer is not None else None
    if observer is not None and not isinstance(context, Context):
        raise TypeError("the context of what was begun is none")
    return observer


def _arguments(call: Call, args: tuple[Any, ...], bound: bool) -> tuple[Any, ...]:
    return (args[0], *call.args) if bound and args else call.args


def _make(observer: CallObserver, call: Call, args: tuple[Any, ...], bound: bool) -> Any:
    """The coroutine or generator itself; only wrong arguments can fail here."""
    try:
        return call.function(*_arguments(call, args, bound), **call.kwargs)
    except BaseException as error:
        fail(observer, error)
        raise


def _plain_runner(function: Callable[..., Any], begin: _Begin, bound: bool) -> Run:
    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        observer, call = begin(args, kwargs)
        if observer is None:
            return function(*args, **kwargs)
        outer = get_current()
        attach(observer.context)
        try:
            value = call.function(*_arguments(call, args, bound), **call.kwargs)
        except BaseException as error:
            attach(outer)
            fail(observer, error)
            raise
        attach(outer)
        return _settle(observer, value)

    return run


def _runner(follow: Callable[[CallObserver, Any], Any]) -> _Runner:
    """For a function whose call only makes what runs later, which ``follow`` follows."""

    def runner(function: Callable[..., Any], begin: _Begin, bound: bool) -> Run:
        def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            observer, call = begin(args, kwargs)
            if observer is None:
                return function(*args, **kwargs)
            return follow(observer, _make(observer, call, args, bound))

        return run

    return runner


def plain(function: Callable[..., Any], driver: Driver | None) -> Callable[..., Any]:
    """What stands in the place of a plain function; as those in `drivers`, it refers to nothing else."""
    __class__ = None

    @replaces(function)
    def standing(*args: Any, **kwargs: Any) -> Any:
        nonlocal __class__
        return function(*args, **kwargs) if driver is None else driver.run(args, kwargs)

    return standing


def _settle(observer: CallObserver, value: Any) -> Any:
    """End the operation now, or when the awaitable or generator that was returned ends."""
    return _followed(observer, value, _later)


def _later(observer: CallObserver, value: Any) -> Any:
    """``value``, followed, if it is awaited or a generator; else None."""
    kind = cast(Any, type(value))
    if kind is CoroutineType:
        return CoroutineProxy(value, observer, _awaited)
    if kind is GeneratorType:
        return follow_generator(value, observer)
    if kind is AsyncGeneratorType:
        return follow_async_generator(value, observer)
    if not inspect.isawaitable(value):
        return None
    if isinstance(value, asyncio.Future):
        return follow_future(value, observer, _returned)
    if isinstance(value, Coroutine):  # of an extension, or one that is followed already
        return CoroutineProxy(value, observer, _awaited)
    return AwaitableProxy(value, lambda: _await(observer, value))


async def _await(observer: CallObserver, awaitable: Awaitable[Any]) -> Any:
    place = disposal.here()
    try:
        value = await Steps(observer.context).wait(awaitable)
    except BaseException as error:
        place.failed(observer, error)
        raise
    return _awaited(observer, value)


def _awaited(observer: Any, value: Any) -> Any:
    return _followed(observer, value, _given)


def _given(observer: Any, value: Any) -> Any:
    """``value``, followed, if it is a generator, as of `await model.astream()`: it is not over yet."""
    return follow_given(value, observer) if type(value) in _GENERATORS else None


_GENERATORS: Final = (GeneratorType, AsyncGeneratorType)


def _followed(observer: Any, value: Any, follow: Callable[[Any, Any], Any]) -> Any:
    """What ``follow`` makes of ``value``; where it makes nothing of it, ``value`` is the result."""
    try:
        followed = follow(observer, value)
    except Exception:  # as of a value that raises when it is asked what it is
        errors.internal_error("following a result")
        end(observer)
        return value
    return _returned(observer, value) if followed is None else followed


def _returned(observer: Any, value: Any) -> Any:
    try:
        return observer.returned(value)
    except Exception:
        errors.internal_error("recording a result")
        end(observer)
        return value
    except BaseException as error:  # the application's, which has no result
        fail(observer, error)
        raise


leave_out(globals())

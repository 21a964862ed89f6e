"""Drive one operation around a patched call: sync, async, generator or async generator.

A framework writes an operation once: a function ``begin(call)`` that returns what is `Running`, or
None to stay out. This module decides how to run it. What the function *is* decides the flavour of
the wrapper, so that `inspect` sees no difference; what it *returns* decides when the operation
ends, since a plain function may return a coroutine or a generator. It is also the one place that
decides what happens when code of ours fails: it is logged, and the user's call goes on.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from dataclasses import dataclass
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final, Protocol, cast

from opentelemetry.context import Context, attach, create_key, get_current, get_value, set_value
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from otel_agents.instrumentors._core import errors

from . import disposal, streams
from .proxies import AwaitableProxy, CoroutineProxy
from .reporting import Followed, end, fail
from .switches import Switch

__all__ = ["Begin", "Call", "Running", "Wrapping", "around"]


@dataclass(slots=True)
class Call:
    """One call of a patched function.

    ``instance`` is the object or class of a method, None for functions and static methods;
    ``args`` are without it. ``begin`` may replace ``args`` and ``kwargs``.
    """

    function: Callable[..., Any]
    instance: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def argument(self, place: int, name: str) -> Any:
        """What was given at ``place`` or by ``name``; None if it was left out."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name)


class Running(Followed, Protocol):
    """An operation in progress, as this module drives it.

    Any method may raise: the call goes on as if it had not been there.
    """

    context: Context
    """Current while the patched function's own code runs."""

    def returned(self, value: Any) -> Any:
        """The call has its result; returns what the caller gets: it, or a transparent proxy."""
        ...


Begin = Callable[[Call], "Running | None"]
Wrapping = Callable[[Callable[..., Any], Switch, bool], Callable[..., Any]]
"""Builds the replacement of a function, from it, the patch's switch and "takes self"."""


def around(begin: Begin, *, overridden: bool = False) -> Wrapping:
    """A wrapping that runs the operation of ``begin`` around each call.

    Args:
        begin: Starts the operation, or returns None to stay out.
        overridden: The method is implemented in several classes of a hierarchy, each wrapped:
            what an implementation calls by ``super()`` is part of the same operation.
    """

    def wrapping(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
        def start(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Running | None, Call]:
            call = (
                Call(function, args[0], args[1:], kwargs)
                if bound and args
                else Call(function, None, args, kwargs)
            )
            if not switch.on or (overridden and _is_super_call(begin, call)):
                return None, call
            running = _begin(begin, call)
            if overridden and running is not None:
                running.context = set_value(_ENTERED, (begin, call), running.context)
            return running, call

        return _flavour(function)(function, start, bound)

    return wrapping


_ENTERED: Final = create_key("otel_agents-entered-call")


def _is_super_call(begin: Begin, call: Call) -> bool:
    entered = get_value(_ENTERED)
    if not isinstance(entered, tuple):
        return False
    outer_begin, outer = cast("tuple[Begin, Call]", entered)
    same = outer_begin is begin and outer.instance is call.instance
    return same and outer.function is not call.function


_Start = Callable[[tuple[Any, ...], dict[str, Any]], "tuple[Running | None, Call]"]
_Flavour = Callable[[Callable[..., Any], _Start, bool], Callable[..., Any]]


def _flavour(function: Callable[..., Any]) -> _Flavour:
    if inspect.iscoroutinefunction(function):
        return _coroutine_function
    if inspect.isasyncgenfunction(function):
        return _async_generator_function
    if inspect.isgeneratorfunction(function):
        return _generator_function
    return _plain_function


def _begin(begin: Begin, call: Call) -> Running | None:
    running: Running | None = None
    try:
        if is_instrumentation_enabled():
            running = begin(call)
    except Exception:
        errors.internal_error("beginning an operation")
    return running


def _arguments(call: Call, args: tuple[Any, ...], bound: bool) -> tuple[Any, ...]:
    return (args[0], *call.args) if bound and args else call.args


def _make(running: Running, call: Call, args: tuple[Any, ...], bound: bool) -> Any:
    """The coroutine or generator itself; only wrong arguments can fail here."""
    try:
        return call.function(*_arguments(call, args, bound), **call.kwargs)
    except BaseException as error:
        fail(running, error)
        raise


def _plain_function(function: Callable[..., Any], start: _Start, bound: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        running, call = start(args, kwargs)
        if running is None:
            return function(*args, **kwargs)
        outer = get_current()
        attach(running.context)
        try:
            value = function(*_arguments(call, args, bound), **call.kwargs)
        except BaseException as error:
            attach(outer)
            fail(running, error)
            raise
        attach(outer)
        return _settle(running, value)

    return plain


def _coroutine_function(
    function: Callable[..., Any], start: _Start, bound: bool
) -> Callable[..., Any]:
    @functools.wraps(function)
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        running, call = start(args, kwargs)
        if running is None:
            return await function(*args, **kwargs)
        return await _await(running, _make(running, call, args, bound))

    return coroutine


def _generator_function(
    function: Callable[..., Any], start: _Start, bound: bool
) -> Callable[..., Any]:
    @functools.wraps(function)
    def generator(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        running, call = start(args, kwargs)
        if running is None:
            made: Generator[Any, Any, Any] = function(*args, **kwargs)
            return (yield from made)
        followed = streams.follow_generator(_make(running, call, args, bound), running)
        return (yield from followed)

    return generator


def _async_generator_function(
    function: Callable[..., Any], start: _Start, bound: bool
) -> Callable[..., Any]:
    @functools.wraps(function)
    async def async_generator(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        running, call = start(args, kwargs)
        steps: AsyncGenerator[Any, Any] = (
            function(*args, **kwargs)
            if running is None
            else streams.follow_async_generator(_make(running, call, args, bound), running)
        )
        sent: Any = None
        error: BaseException | None = None
        while True:  # there is no `yield from` for async generators
            try:
                item = await (steps.asend(sent) if error is None else steps.athrow(error))
            except StopAsyncIteration:
                return
            try:
                sent, error = (yield item), None
            except GeneratorExit:
                await steps.aclose()
                raise
            except BaseException as thrown:
                error = thrown

    return async_generator


def _settle(running: Running, value: Any) -> Any:
    """End the operation now, or when the awaitable or generator that was returned ends."""
    kind = cast(Any, type(value))
    if kind is CoroutineType:
        return CoroutineProxy(value, running, _returned)
    if kind is GeneratorType:
        return streams.follow_generator(value, running)
    if kind is AsyncGeneratorType:
        return streams.follow_async_generator(value, running)
    if isinstance(value, asyncio.Future):
        future = cast("asyncio.Future[Any]", value)
        future.add_done_callback(functools.partial(_future_done, running))
        return future
    if inspect.isawaitable(value):
        return AwaitableProxy(value, lambda: _await(running, value))
    return _returned(running, value)


async def _await(running: Running, awaitable: Awaitable[Any]) -> Any:
    outer = get_current()
    attach(running.context)
    try:
        value = await awaitable
    except GeneratorExit as error:  # collected while suspended, maybe in another context
        _leave(running.context, outer)
        disposal.dispose(functools.partial(fail, running, error))
        raise
    except BaseException as error:
        attach(outer)
        fail(running, error)
        raise
    attach(outer)
    return _returned(running, value)


def _leave(entered: Context, outer: Context) -> None:
    if get_current() is entered:
        attach(outer)


def _future_done(running: Running, future: asyncio.Future[Any]) -> None:
    if future.cancelled():
        fail(running, asyncio.CancelledError())
        return
    error = future.exception()
    if error is not None:
        fail(running, error)
    else:
        _returned(running, future.result())


def _returned(running: Any, value: Any) -> Any:
    try:
        return running.returned(value)
    except Exception:
        errors.internal_error("recording a result")
        end(running)
        return value

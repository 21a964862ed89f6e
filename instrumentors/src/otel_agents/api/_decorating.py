"""Decorated functions: of the same kind and signature, and recorded when they are called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from otel_agents.instrumentors._core.drivers import (
    Driver,
    Run,
    async_generator,
    coroutine,
    driver_of,
    generator,
    plain,
)
from otel_agents.instrumentors._core.errors import inform, warn
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

if TYPE_CHECKING:
    from ._blocks import Block

__all__ = ["decorated"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Cached: Final = type(functools.lru_cache(len))
_OF_CACHE: Final = ("cache_clear", "cache_info")
_FUNCTIONS: Final = (FunctionType, BuiltinFunctionType, MethodType, functools.partial, _Cached)
_MEMBERS: Final = (staticmethod, classmethod)


def decorated(block: Block, function: _Function) -> _Function:
    """Return ``function``, which records an operation of ``block`` in each call; see `_decorated`."""
    return cast(_Function, _decorated(block, function))


def _decorated(block: Block, function: Any) -> Any:
    """Return ``function`` decorated.

    An object that is no function, such as the tool that a framework's decorator has made, is
    returned as it is: its type matters to the framework, whose instrumentor records it.
    """
    if _is_any(function, _MEMBERS):
        return type(function)(decorated(block, function.__func__))
    if inspect.isclass(function):
        warn(
            "otel-agents: @%s cannot decorate the class %s, which stays as it is; "
            "decorate its methods",
            block.kind,
            function.__qualname__,
        )
        return function
    if not _is_any(function, _FUNCTIONS):
        inform(
            "otel-agents: @%s leaves an object of type %s as it is; if no instrumentor records "
            "it, decorate the function that it was made of",
            block.kind,
            type(function).__qualname__,
        )
        return function
    replacement = _replacement_kind(function)(function, _Decoration(function, block))
    if _is_any(function, (_Cached,)):
        for name in _OF_CACHE:
            setattr(replacement, name, getattr(function, name))
    return replacement


def _is_any(value: object, kinds: tuple[type[Any], ...]) -> bool:
    return isinstance(value, kinds)


def _replacement_kind(function: Any) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):
        return coroutine
    if inspect.isasyncgenfunction(function):
        return async_generator
    return generator if inspect.isgeneratorfunction(function) else plain


class _Decoration(Driver):
    """Runs a decorated function: as it is, while nothing can be emitted.

    Pickled by its code, as by cloudpickle, the function is recorded where it is unpickled.
    """

    __slots__ = ("_block", "_function", "_recorded")

    def __init__(self, function: Callable[..., Any], block: Block) -> None:
        super().__init__(self._run)
        self._function = function
        self._block = block
        self._recorded: Run | None = None

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not self._block.active():
            return self._function(*args, **kwargs)
        recorded = self._recorded or self._record()
        return recorded(args, kwargs)

    def _record(self) -> Run:
        from otel_agents.instrumentors._core.calls.around import wrapped

        from ._emitting import telemetry
        from ._operations import call_start

        # The telemetry is looked up for each call: `configure` may replace it.
        recorded = wrapped(self._function, telemetry(), call_start(self._block, self._function))
        driver = driver_of(recorded)
        self._recorded = run = driver.run if driver is not None else recorded
        return run

    def __reduce__(self) -> tuple[Any, ...]:
        return _Decoration, (self._function, self._block)


hide_frames(globals())

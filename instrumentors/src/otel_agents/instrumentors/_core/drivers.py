"""Drivers of the functions that replace others, and what a pickle holds of them.

Classes and functions that cannot be imported are pickled by their code and all that it refers to
(cloudpickle does so, for Ray, Dask, Spark and joblib). Our code refers to the function that it
replaces and to its `Driver`, which unpickles as None where otel-agents does not run.
"""

from __future__ import annotations

import builtins
import functools
import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from types import CellType, CodeType, FunctionType
from typing import Any, Final, Protocol, TypeAlias

from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .errors import guarded
from .tables import Bounded

__all__ = [
    "ClassPatch",
    "Driver",
    "Replace",
    "Run",
    "async_generator",
    "class_patches",
    "coroutine",
    "driver_of",
    "first_step",
    "generator",
    "plain",
    "replace_of",
    "replaces",
    "unpickled_driver",
]

_Function: TypeAlias = Callable[..., Any]
Run: TypeAlias = Callable[[tuple[Any, ...], dict[str, Any]], Any]

_Origin: TypeAlias = tuple[tuple[str, int], _Function, bool]
"""The key in `class_patches`, the replaced function, and whether it is bound."""


Replace: TypeAlias = "Callable[[_Function, Driver | None], _Function]"
"""Makes the replacement of a function of one kind."""


class ClassPatch(Protocol):
    """Replaces methods of application classes in this process."""

    def rebuild(self, function: _Function, bound: bool) -> _Function:
        """Make the replacement of a function that is being unpickled."""
        ...

    def class_unpickled(self, cls: type[Any]) -> None:
        """Patch ``cls``, whose methods unpickling has set after its creation."""
        ...


_CLASS: Final = "__class__"
"""The name by which a method refers to its class, for ``super()``."""

class_patches: Final[Bounded[tuple[str, int], ClassPatch]] = Bounded(1024, inherited=True)


def first_step(generator: AsyncGenerator[Any, Any]) -> Awaitable[Any]:
    """Return the first step of a generator that only the one around it closes.

    At its end an event loop closes all generators that it knows, at once. It must not know two of
    which one closes the other.
    """
    first, _ = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=None)
    try:
        return generator.asend(None)
    finally:
        sys.set_asyncgen_hooks(firstiter=first)


class Driver:
    """Runs the calls of a replaced function.

    Args:
        run: Called with the arguments instead of the function; returns what it would, or for an
            asynchronous generator one to iterate.
    """

    __slots__ = ("origin", "patch", "run")
    first_step = staticmethod(first_step)

    def __init__(self, run: Run) -> None:
        self.run = run
        self.origin: _Origin | None = None
        """How to make it again when it is unpickled; if None, it unpickles as None."""
        self.patch: ClassPatch | None = None
        """What made it in this process."""

    def __reduce__(self) -> tuple[Any, ...]:
        if self.origin is None:
            return type(None), ()
        return _driver_loader(__name__), self.origin


def replaces(function: _Function) -> Callable[[_Function], _Function]:
    """Decorate the replacement of ``function``: as `functools.wraps`, and more.

    attrs creates a class again to give it slots, and updates the class reference that its functions
    use for ``super()``; so the replacement has the same reference. dill pickles all globals of a
    function's module; so the replacement has the globals of that module.
    """
    class_cell = {name: cell for name, cell in _cells(function).items() if name == _CLASS}

    def decorate(replacement: _Function) -> _Function:
        if isinstance(function, FunctionType) and isinstance(replacement, FunctionType):
            closure = tuple({**_cells(replacement), **class_cell}.values())
            replacement = FunctionType(replacement.__code__, function.__globals__, closure=closure)
        return functools.wraps(function)(replacement)

    return decorate


def _cells(function: _Function) -> dict[str, CellType]:
    """Return the closure cells of a function by name, in order."""
    code: CodeType | None = getattr(function, "__code__", None)
    cells: tuple[CellType, ...] | None = getattr(function, "__closure__", None)
    return {} if code is None else dict(zip(code.co_freevars, cells or (), strict=False))


# The code of a replacement refers to its driver, and to nothing else here. By `nonlocal` it has
# the class reference that `replaces` sets.


def plain(function: Callable[..., Any], driver: Driver | None) -> Callable[..., Any]:
    """Make the replacement of a plain function."""
    __class__ = None

    @replaces(function)
    def replacement(*args: Any, **kwargs: Any) -> Any:
        nonlocal __class__
        return function(*args, **kwargs) if driver is None else driver.run(args, kwargs)

    return replacement


def coroutine(function: Callable[..., Any], driver: Driver | None) -> Callable[..., Any]:
    """Make the replacement of a coroutine function."""
    __class__ = None

    @replaces(function)
    async def replacement(*args: Any, **kwargs: Any) -> Any:
        nonlocal __class__
        return await (function(*args, **kwargs) if driver is None else driver.run(args, kwargs))

    return replacement


def generator(function: Callable[..., Any], driver: Driver | None) -> Callable[..., Any]:
    """Make the replacement of a generator function."""
    __class__ = None

    @replaces(function)
    def replacement(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        nonlocal __class__
        steps: Generator[Any, Any, Any]
        steps = function(*args, **kwargs) if driver is None else driver.run(args, kwargs)
        return (yield from steps)

    return replacement


def async_generator(function: Callable[..., Any], driver: Driver | None) -> Callable[..., Any]:
    """Make the replacement of an asynchronous generator function."""
    __class__ = None

    @replaces(function)
    async def replacement(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        nonlocal __class__
        steps: AsyncGenerator[Any, Any]
        steps = function(*args, **kwargs) if driver is None else driver.run(args, kwargs)
        step = steps.asend(None) if driver is None else driver.first_step(steps)
        while True:  # there is no `yield from` for async generators
            try:
                item = await step
            except StopAsyncIteration:
                return
            try:
                step = steps.asend((yield item))
            except GeneratorExit:
                await steps.aclose()
                raise
            except BaseException as thrown:
                step = steps.athrow(thrown)

    return replacement


def replace_of(function: _Function) -> Replace:
    """Return what makes the replacement of ``function``: one of the same kind."""
    if inspect.iscoroutinefunction(function):
        return coroutine
    if inspect.isasyncgenfunction(function):
        return async_generator
    return generator if inspect.isgeneratorfunction(function) else plain


def driver_of(function: _Function) -> Driver | None:
    """Return the driver of a replacement; None for any other function."""
    cells = getattr(function, "__closure__", None) or ()
    return next((it for it in map(_content, cells) if isinstance(it, Driver)), None)


@guarded("reading a pickled function")
def unpickled_driver(key: tuple[str, int], function: _Function, bound: bool) -> Driver | None:
    """Return the driver for a function that is being unpickled."""
    patch = class_patches.get(key)
    return None if patch is None else driver_of(patch.rebuild(function, bound))


def _driver_loader(module: str) -> Callable[..., Driver | None]:
    def load(*origin: Any) -> Driver | None:
        # Pickled by its code: it runs where otel-agents may be missing, so it must not refer to it.
        import sys

        drivers: Any = sys.modules.get(module)
        return None if drivers is None else drivers.unpickled_driver(*origin)

    return FunctionType(load.__code__, builtins.__dict__, closure=load.__closure__)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # an empty cell
        return None


hide_frames(globals())

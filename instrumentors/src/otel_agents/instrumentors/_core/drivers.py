"""What drives the functions that we put in the place of others, and what a pickle has of it.

Classes and functions that cannot be imported are pickled by their code and all that it refers to
(cloudpickle does, for Ray, Dask, Spark and joblib). The code of ours refers to the function that it
stands for and to its `Driver`, which is read as None where nothing of ours runs.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import AsyncGenerator, Callable, Generator
from types import CellType, CodeType, FunctionType
from typing import Any, Final, Protocol, TypeAlias

from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .errors import guarded
from .tables import Bounded

__all__ = [
    "ClassPatch",
    "Driver",
    "Run",
    "async_generator",
    "class_patches",
    "coroutine",
    "driver_of",
    "generator",
    "replaces",
    "unpickled_driver",
]

_Function: TypeAlias = Callable[..., Any]
Run: TypeAlias = Callable[[tuple[Any, ...], dict[str, Any]], Any]

_Origin: TypeAlias = tuple[tuple[str, int], _Function, bool]
"""Under which key of `class_patches` a function is replaced, the function, and whether it is bound."""


class ClassPatch(Protocol):
    """What replaces functions of the application's in this process."""

    def rebuild(self, function: _Function, bound: bool) -> _Function:
        """The stand-in of a function whose pickle is being read."""
        ...

    def class_unpickled(self, cls: type[Any]) -> None:
        """``cls`` was read from a pickle, which has set its methods since it was made."""
        ...


_CLASS: Final = "__class__"
"""As what a method refers to its class, for ``super()``."""

class_patches: Final[Bounded[tuple[str, int], ClassPatch]] = Bounded(1024, inherited=True)


class Driver:
    """What runs a call of the function that is stood in for.

    Args:
        run: Called with the arguments in place of the function; returns what it would, or for an
            asynchronous generator one that is iterated in its place.
    """

    __slots__ = ("origin", "patch", "run")

    def __init__(self, run: Run) -> None:
        self.run = run
        self.origin: _Origin | None = None
        """By which it is made anew where its pickle is read; else that is None."""
        self.patch: ClassPatch | None = None
        """Whose it is in this process."""

    def __reduce__(self) -> tuple[Any, ...]:
        if self.origin is None:
            return type(None), ()
        return _driver_loader(__name__), self.origin


def replaces(function: _Function) -> Callable[[_Function], _Function]:
    """A decorator for what stands in the place of ``function``: as `functools.wraps`, and more.

    Who makes a class a second time, as attrs does to give it slots, puts the new one where the
    functions in it refer to their class for ``super()``. So what stands in has the same reference.
    Who pickles all that a function's module has, as dill does, finds the module that it names.
    """
    its_class = {name: cell for name, cell in _cells(function).items() if name == _CLASS}

    def decorate(made: _Function) -> _Function:
        if isinstance(function, FunctionType) and isinstance(made, FunctionType):
            closure = tuple({**_cells(made), **its_class}.values())
            made = FunctionType(made.__code__, function.__globals__, closure=closure)
        return functools.wraps(function)(made)

    return decorate


def _cells(function: _Function) -> dict[str, CellType]:
    """What a function refers to in those around it, in its order."""
    code: CodeType | None = getattr(function, "__code__", None)
    cells: tuple[CellType, ...] | None = getattr(function, "__closure__", None)
    return {} if code is None else dict(zip(code.co_freevars, cells or (), strict=False))


# The code of what stands in refers to nothing of ours but its drive. By `nonlocal` it has the
# reference that `replaces` sets.


def coroutine(function: Callable[..., Any], driver: Driver | None) -> Callable[..., Any]:
    """What stands in the place of a coroutine function."""
    __class__ = None

    @replaces(function)
    async def replacement(*args: Any, **kwargs: Any) -> Any:
        nonlocal __class__
        return await (function(*args, **kwargs) if driver is None else driver.run(args, kwargs))

    return replacement


def generator(function: Callable[..., Any], driver: Driver | None) -> Callable[..., Any]:
    """What stands in the place of a generator function."""
    __class__ = None

    @replaces(function)
    def replacement(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        nonlocal __class__
        steps: Generator[Any, Any, Any]
        steps = function(*args, **kwargs) if driver is None else driver.run(args, kwargs)
        return (yield from steps)

    return replacement


def async_generator(function: Callable[..., Any], driver: Driver | None) -> Callable[..., Any]:
    """What stands in the place of an asynchronous generator function."""
    __class__ = None

    @replaces(function)
    async def replacement(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        nonlocal __class__
        steps: AsyncGenerator[Any, Any]
        steps = function(*args, **kwargs) if driver is None else driver.run(args, kwargs)
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

    return replacement


def driver_of(function: _Function) -> Driver | None:
    """What drives a function of ours; None for any other one."""
    cells = getattr(function, "__closure__", None) or ()
    return next((it for it in map(_content, cells) if isinstance(it, Driver)), None)


@guarded("reading a pickled function")
def unpickled_driver(key: tuple[str, int], function: _Function, bound: bool) -> Driver | None:
    """The drive for a function whose pickle is being read."""
    patch = class_patches.get(key)
    return None if patch is None else driver_of(patch.rebuild(function, bound))


def _driver_loader(home: str) -> Callable[..., Driver | None]:
    def rebuild(*origin: Any) -> Driver | None:
        # Pickled by its code too, as who reads it may not have us: it refers to nothing of ours.
        import sys

        ours: Any = sys.modules.get(home)
        return None if ours is None else ours.unpickled_driver(*origin)

    return FunctionType(rebuild.__code__, builtins.__dict__, closure=rebuild.__closure__)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None


hide_frames(globals())

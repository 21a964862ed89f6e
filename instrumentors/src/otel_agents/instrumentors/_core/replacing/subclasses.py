"""A method replaced in application classes: existing ones and future ones."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import count
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Switch, Wrapping
from otel_agents.instrumentors._core.drivers import class_patches, driver_of
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .attributes import ReplacedAttribute, function_of
from .unpickling import hook_unpicklers, unhook_unpicklers

__all__ = ["replace_in_arguments", "replace_in_subclasses"]


_Function: TypeAlias = Callable[..., Any]


class _ReplacedMethods:
    """The classes in which ``method`` is replaced; an application may create and drop many.

    cloudpickle pickles such classes by their code: a class that is unpickled in a process with this
    row is patched there.

    Args:
        row: The target of the row; part of the key in a pickle.
        method: The method to replace.
        wrapping: Makes the replacements.
        switch: On while the row is applied.
        base: The base class; None if the classes need no common base.
    """

    def __init__(
        self,
        row: str,
        method: str,
        wrapping: Wrapping,
        switch: Switch,
        base: type[Any] | None = None,
    ) -> None:
        self._base = base
        self._method = method
        self._wrapping = wrapping
        self._switch = switch
        number = next(number for number in count() if (row, number) not in class_patches)
        self._key = row, number
        self._replaced: WeakKeyDictionary[type[Any], ReplacedAttribute] = WeakKeyDictionary()
        class_patches.put(self._key, self)
        hook_unpicklers()

    def add(self, cls: type[Any]) -> None:
        """Replace the method of ``cls``, its own or inherited, once."""
        if cls not in self._replaced:
            self._replaced[cls] = ReplacedAttribute(cls, self._method, self._replace, self._switch)

    def add_implementation(self, cls: type[Any]) -> None:
        """Replace the method of ``cls`` if it implements it."""
        method = vars(cls).get(self._method)
        if method is None or getattr(method, "__isabstractmethod__", False):
            return
        driver = driver_of(function_of(method))
        if driver is None or driver.patch is not self:  # else unpickled, or of another class
            self.add(cls)

    def restore(self) -> None:
        """Restore the originals in the classes that still exist."""
        class_patches.pop(self._key)
        unhook_unpicklers()
        for replaced in list(self._replaced.values()):
            replaced.restore()

    def _replace(self, function: _Function, switch: Switch, bound: bool) -> _Function:
        replacement = self._wrapping(function, switch, bound)
        driver = driver_of(replacement)
        if driver is not None:
            driver.origin, driver.patch = (self._key, function, bound), self
        return replacement

    def rebuild(self, function: _Function, bound: bool) -> _Function:
        """Make the replacement of a function that is being unpickled."""
        return self._replace(function, self._switch, bound)

    def class_unpickled(self, cls: type[Any]) -> None:
        """Replace the method that unpickling has set on ``cls``, if it is such a class."""
        replaced = self._replaced.get(cls)
        if replaced is not None and not replaced.is_applied:  # the class was unpickled again
            del self._replaced[cls]
        if replaced is not None or (self._base is not None and self._base in cls.__mro__[1:]):
            self.add_implementation(cls)


def replace_in_subclasses(
    row: str, base: type[Any], name: str, wrapping: Wrapping, switch: Switch
) -> list[Callable[[], None]]:
    """Replace ``name`` in each subclass of ``base`` that implements it; return the undo steps."""
    classes = _ReplacedMethods(row, name, wrapping, switch, base)

    def visit(cls: type[Any]) -> None:
        for subclass in cls.__subclasses__():
            classes.add_implementation(subclass)
            visit(subclass)

    visit(base)
    return [_on_subclass(base, switch, classes.add_implementation), classes.restore]


def replace_in_arguments(
    row: str, owner: Any, name: str, method: str, wrapping: Wrapping, switch: Switch
) -> list[Callable[[], None]]:
    """Replace ``method`` in each class passed to the target, a method; return the undo steps."""
    classes = _ReplacedMethods(row, method, wrapping, switch)

    def wrap(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
        @functools.wraps(function)
        def calling(*args: Any, **kwargs: Any) -> Any:
            for value in (*args, *kwargs.values()) if switch.on else ():
                try:
                    if isinstance(value, type) and hasattr(value, method):
                        classes.add(value)
                except Exception:
                    errors.internal_error("patching a class")
            return function(*args, **kwargs)

        return calling

    return [classes.restore, ReplacedAttribute(owner, name, wrap, switch).restore]


def _on_subclass(
    base: type[Any], switch: Switch, created: Callable[[type[Any]], None]
) -> Callable[[], None]:
    """Call ``created`` for each subclass of ``base`` defined from now on; return what undoes it."""
    own = vars(base).get("__init_subclass__")

    def init_subclass(cls: type[Any], **kwargs: Any) -> None:
        if own is None:
            super(base, cls).__init_subclass__(**kwargs)
        else:
            own.__func__(cls, **kwargs)
        if switch.on:
            try:
                created(cls)
            except Exception:
                errors.internal_error("patching a subclass")

    replacement = classmethod(init_subclass)
    setattr(base, "__init_subclass__", replacement)  # noqa: B010  pyright wants a method here

    def undo() -> None:
        if vars(base).get("__init_subclass__") is not replacement:
            return
        if own is None:
            delattr(base, "__init_subclass__")
        else:
            setattr(base, "__init_subclass__", own)  # noqa: B010  as above

    return undo


hide_frames(globals())

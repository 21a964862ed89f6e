"""A method replaced in classes of the application's: those that there are, and those to come."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import count
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Switch, Wrapping
from otel_agents.instrumentors._core.drivers import driver_of, living
from otel_agents.instrumentors._core.importlib_bootstrap import leave_out

from .places import Place, function_of
from .unpickling import release_readers, watch_readers

__all__ = ["replace_in_subclasses", "replace_when_handed"]


_Function: TypeAlias = Callable[..., Any]


class _Places:
    """The classes in which ``method`` is replaced; an application may make and drop any number.

    It may pickle them too, by their code: what is read in a process that has this row is replaced
    there.

    Args:
        base: Whose subclasses they are; None where it is others that tell of them.
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
        number = next(number for number in count() if (row, number) not in living)
        self._key = row, number
        self._known: WeakKeyDictionary[type[Any], Place] = WeakKeyDictionary()
        living.put(self._key, self)
        watch_readers()

    def add(self, cls: type[Any]) -> None:
        """Replace the method of ``cls``, its own or inherited, unless that is done."""
        if cls not in self._known:
            self._known[cls] = Place(cls, self._method, self._replace, self._switch)

    def add_implementation(self, cls: type[Any]) -> None:
        """Replace the method of ``cls`` if it implements it."""
        method = vars(cls).get(self._method)
        if method is None or getattr(method, "__isabstractmethod__", False):
            return
        driver = driver_of(function_of(method))
        if driver is None or driver.maker is not self:  # else it was read so, or is another class's
            self.add(cls)

    def restore(self) -> None:
        """Put the originals back in the classes that are left."""
        living.pop(self._key)
        release_readers()
        for place in list(self._known.values()):
            place.restore()

    def _replace(self, function: _Function, switch: Switch, bound: bool) -> _Function:
        made = self._wrapping(function, switch, bound)
        driver = driver_of(made)
        if driver is not None:
            driver.origin, driver.maker = (self._key, function, bound), self
        return made

    def revive(self, function: _Function, bound: bool) -> _Function:
        """The stand-in of a function of such a class, whose pickle is being read."""
        return self._replace(function, self._switch, bound)

    def show(self, cls: type[Any]) -> None:
        """Replace the method that ``cls`` has got from a pickle, if it is such a class."""
        place = self._known.get(cls)
        if place is not None and not place.stands:  # it was read again
            del self._known[cls]
        if place is not None or (self._base is not None and self._base in cls.__mro__[1:]):
            self.add_implementation(cls)


def replace_in_subclasses(
    row: str, base: type[Any], name: str, wrapping: Wrapping, switch: Switch
) -> list[Callable[[], None]]:
    """Replace ``name`` in each subclass of ``base`` that implements it; returns what undoes it."""
    places = _Places(row, name, wrapping, switch, base)

    def every(cls: type[Any]) -> None:
        for subclass in cls.__subclasses__():
            places.add_implementation(subclass)
            every(subclass)

    every(base)
    return [_on_subclass(base, switch, places.add_implementation), places.restore]


def replace_when_handed(
    row: str, owner: Any, name: str, method: str, wrapping: Wrapping, switch: Switch
) -> list[Callable[[], None]]:
    """Replace ``method`` in each class that the target, a method too, is handed from now on."""
    places = _Places(row, method, wrapping, switch)

    def watching(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
        @functools.wraps(function)
        def receiving(*args: Any, **kwargs: Any) -> Any:
            for value in (*args, *kwargs.values()) if switch.on else ():
                try:
                    if isinstance(value, type) and hasattr(value, method):
                        places.add(value)
                except Exception:
                    errors.internal_error("patching a class")
            return function(*args, **kwargs)

        return receiving

    return [places.restore, Place(owner, name, watching, switch).restore]


def _on_subclass(
    base: type[Any], switch: Switch, created: Callable[[type[Any]], None]
) -> Callable[[], None]:
    """Have ``created`` called for each subclass of ``base`` that is defined from now on."""
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


leave_out(globals())

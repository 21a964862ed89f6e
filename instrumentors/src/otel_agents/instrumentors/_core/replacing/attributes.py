"""An attribute of a class or a module that was replaced, and how its original comes back."""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable
from typing import Any, Final, cast

from otel_agents.instrumentors._core.calls.call import Switch, Wrapping
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

__all__ = ["ReplacedAttribute", "function_of", "static_attribute", "wrap_attribute"]

_ORIGINAL: Final = "__wrapped__"
"""Where `functools.wraps` has it too."""


class ReplacedAttribute:
    """Replaces an attribute; what it was is kept by the replacement alone.

    So nothing of ours keeps a class, or what its methods refer to, any longer than without us.

    Args:
        owner: A class or a module.
        name: Its attribute, which may be inherited.
        wrapping: Makes the replacement.
        switch: On while the replacement is.
    """

    __slots__ = ("_function", "_inherited", "_name", "_owner")

    def __init__(self, owner: Any, name: str, wrapping: Wrapping, switch: Switch) -> None:
        self._owner = weakref.ref(owner)
        self._name = name
        self._inherited = name not in vars(owner)
        original = static_attribute(owner, name)
        replacement = wrap_attribute(original, wrapping, switch, isinstance(owner, type))
        vars(replacement)[_ORIGINAL] = original
        self._function = weakref.ref(function_of(replacement))
        setattr(owner, name, replacement)

    @property
    def is_in_place(self) -> bool:
        """Whether the owner has the replacement still."""
        return self._current() is not None

    def restore(self) -> None:
        """Put the original back; where somebody has wrapped ours since, theirs stays and ours is off."""
        owner, current = self._owner(), self._current()
        if current is None:
            return
        if self._inherited:
            delattr(owner, self._name)
        else:
            setattr(owner, self._name, cast("dict[str, Any]", vars(current))[_ORIGINAL])

    def _current(self) -> Any:
        """The replacement in the owner; None where it is not there any more."""
        owner = self._owner()
        current = None if owner is None else cast("dict[str, Any]", vars(owner)).get(self._name)
        return None if current is None or function_of(current) is not self._function() else current


def static_attribute(owner: Any, name: str) -> Any:
    """The attribute as it stands in the class that defines it, descriptors not called."""
    for holder in cast("tuple[Any, ...]", getattr(owner, "__mro__", (owner,))):
        if name in vars(holder):
            return cast(Any, vars(holder)[name])
    raise AttributeError(f"{getattr(owner, '__name__', owner)} has no {name}")


def wrap_attribute(original: Any, wrapping: Wrapping, switch: Switch, in_class: bool) -> Any:
    """The replacement of an attribute: a function, or a static, class or partial method as it was."""
    if isinstance(original, (staticmethod, classmethod)):
        function: Callable[..., Any] = original.__func__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  of any signature
        is_static = isinstance(original, staticmethod)
        replaced = wrapping(function, switch, not is_static)
        return staticmethod(replaced) if is_static else classmethod(replaced)
    if isinstance(original, functools.partialmethod):
        # The arguments that it adds are no part of the call.
        called = cast("Callable[..., Any]", original.__get__(None, object))
        return functools.partialmethod(wrapping(called, switch, True))
    if not callable(original):
        raise AttributeError(f"{original!r} is no function")  # noqa: TRY004  as if it were not there
    if in_class and not _is_bound(original):
        return staticmethod(wrapping(original, switch, False))
    return wrapping(original, switch, in_class)


def function_of(attribute: Any) -> Any:
    """The function in a static, class or partial method; else itself."""
    if isinstance(attribute, functools.partialmethod):
        return cast(Any, attribute).func
    if isinstance(attribute, (staticmethod, classmethod)):  # it cannot be referred to weakly
        return cast(Any, attribute).__func__
    return attribute


def _is_bound(attribute: Any) -> bool:
    """Whether Python hands the instance to what a class has as this attribute.

    A partial has a ``__get__`` since Python 3.13, which warns of the binding that 3.14 begins with.
    """
    if isinstance(attribute, functools.partial) and sys.version_info < (3, 14):
        return False
    return hasattr(cast(Any, type(attribute)), "__get__")


hide_frames(globals())

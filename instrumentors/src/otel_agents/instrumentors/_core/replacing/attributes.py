"""An attribute of a class or a module, replaced, and how its original is restored."""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.calls.call import Switch, Wrapping
from otel_agents.instrumentors._core.calls.proxy import Proxy
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames
from otel_agents.instrumentors._core.tables import ByObject

__all__ = ["ReplacedAttribute", "function_of", "static_attribute", "wrap_attribute"]

_switches: Final[ByObject[Any, Switch]] = ByObject()
"""By replacement, while somebody has it."""
_ORIGINAL: Final = "__wrapped__"
"""The attribute that `functools.wraps` uses too."""


class ReplacedAttribute:
    """Replaces an attribute; the replacement alone keeps the original.

    So we keep no class alive, nor what its methods refer to.

    Args:
        owner: A class or a module.
        name: Its attribute, which may be inherited.
        wrapping: Makes the replacement.
        switch: On while the replacement is applied.
    """

    __slots__ = ("_function", "_inherited", "_name", "_owner")

    def __init__(self, owner: Any, name: str, wrapping: Wrapping, switch: Switch) -> None:
        self._owner = weakref.ref(owner)
        self._name = name
        self._inherited = name not in vars(owner)
        original = static_attribute(owner, name)
        replacement = wrap_attribute(original, wrapping, switch, isinstance(owner, type))
        vars(replacement)[_ORIGINAL] = original
        function = function_of(replacement)
        self._function = weakref.ref(function)
        _switches[function] = switch
        setattr(owner, name, replacement)
        if isinstance(owner, type):
            _remove_copies(owner, name, original)

    @property
    def is_applied(self) -> bool:
        """Whether the owner still has the replacement."""
        return self._current() is not None

    def restore(self) -> None:
        """Restore the original. If somebody has wrapped the replacement since, leave theirs."""
        owner, current = self._owner(), self._current()
        if current is None:
            return
        if self._inherited:
            delattr(owner, self._name)
        else:
            setattr(owner, self._name, cast("dict[str, Any]", vars(current))[_ORIGINAL])

    def _current(self) -> Any:
        """Return the replacement in the owner; None if it is not there any more."""
        owner = self._owner()
        current = None if owner is None else cast("dict[str, Any]", vars(owner)).get(self._name)
        return None if current is None or function_of(current) is not self._function() else current


def _remove_copies(owner: type[Any], name: str, original: Any) -> None:
    """Remove former replacements from subclasses, which would hide the one of today.

    Who replaces an inherited method, and later sets what was there before, leaves it on the subclass.
    """
    for subclass in type.__subclasses__(owner):
        own: Any = vars(subclass).get(name)
        function = function_of(own)
        switch = _switches.get(function) if isinstance(function, FunctionType) else None
        former = switch is not None and not switch.on
        if former and cast("dict[str, Any]", vars(own)).get(_ORIGINAL) is original:
            delattr(subclass, name)
        if name not in vars(subclass):
            _remove_copies(subclass, name, original)


def static_attribute(owner: Any, name: str) -> Any:
    """Return the attribute as the class that defines it has it, without calling descriptors."""
    for holder in cast("tuple[Any, ...]", getattr(owner, "__mro__", (owner,))):
        if name in vars(holder):
            return cast(Any, vars(holder)[name])
    raise AttributeError(f"{getattr(owner, '__name__', owner)} has no {name}")


def wrap_attribute(original: Any, wrapping: Wrapping, switch: Switch, in_class: bool) -> Any:
    """Make the replacement of an attribute: a function, or a static, class or partial method."""
    if isinstance(original, (staticmethod, classmethod)):
        function: Callable[..., Any] = original.__func__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  of any signature
        is_static = isinstance(original, staticmethod)
        replaced = wrapping(function, switch, not is_static)
        return staticmethod(replaced) if is_static else classmethod(replaced)
    if isinstance(original, functools.partialmethod):
        # The arguments that it adds are not part of the call.
        return functools.partialmethod(wrapping(_as_read_from_class(original), switch, True))
    if not callable(original):
        raise AttributeError(f"{original!r} is no function")  # noqa: TRY004  like a missing target
    if in_class and not _is_bound(original):
        return staticmethod(wrapping(original, switch, False))
    return wrapping(_as_read_from_class(original) if in_class else original, switch, in_class)


def _as_read_from_class(attribute: Any) -> Callable[..., Any]:
    """Return what a class has for an attribute; its first argument is the instance.

    A function is itself. What wrapt made takes the instance only if it is read from the class.
    """
    read = attribute.__get__(None, object)
    is_function = cast(Any, type(read)) is FunctionType
    return read if is_function else _ReadFromInstance(read, attribute)


class _ReadFromInstance(Proxy):
    """What wrapt made, called as a method of its first argument.

    Called as the class has it, wrapt before 2.0 gives its wrapper a function whose signature still
    has the instance, and a wrapper that binds arguments fails, as LlamaIndex's does.
    """

    __slots__ = ("_otel_attribute",)
    _otel_attribute: Any

    def __init__(self, wrapped: Any, attribute: Any) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_attribute", attribute)

    @property
    def __class__(self) -> type[Any]:
        return self._otel_wrapped.__class__  # of the function: `inspect` asks for it

    @__class__.setter
    def __class__(self, value: type[Any]) -> None:
        self._otel_wrapped.__class__ = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not args:
            return self._otel_wrapped(**kwargs)
        return self._otel_attribute.__get__(args[0], type(args[0]))(*args[1:], **kwargs)


def function_of(attribute: Any) -> Any:
    """Return the function in a static, class or partial method; else ``attribute`` itself."""
    if isinstance(attribute, functools.partialmethod):
        return cast(Any, attribute).func
    if isinstance(attribute, (staticmethod, classmethod)):  # takes no weak reference
        return cast(Any, attribute).__func__
    return attribute


def _is_bound(attribute: Any) -> bool:
    """Return whether Python binds this attribute of a class to the instance."""
    # A partial has `__get__` since Python 3.13, which only warns; since 3.14 it binds.
    # https://github.com/python/cpython/pull/121089
    if isinstance(attribute, functools.partial) and sys.version_info < (3, 14):
        return False
    return hasattr(cast(Any, type(attribute)), "__get__")


hide_frames(globals())

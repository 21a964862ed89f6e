"""How one target is replaced, and what puts the original back.

Every function returns what undoes it, which leaves alone what somebody has wrapped since.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import CellType, ModuleType
from typing import Any, cast
from weakref import WeakSet

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Switch, Wrapping

from .patches import Patch

__all__ = ["replace"]


def replace(
    patch: Patch, wrapping: Wrapping, module: ModuleType, switch: Switch
) -> list[Callable[[], None]]:
    """Replace the target in ``module``; returns what undoes it, in order of application."""
    *owners, name = patch.path
    owner: Any = module
    for part in owners:
        owner = getattr(owner, part)
    if patch.subclasses:
        _static(owner, name)  # it may be in later versions only
        return _replace_in_subclasses(owner, name, wrapping, switch)
    if patch.overrides:
        own = _replace_attribute(owner, name, wrapping, switch)
        return [own, *_replace_in_subclasses(owner, name, wrapping, switch)]
    if patch.handed is not None:
        return _replace_when_handed(owner, name, patch.handed, wrapping, switch)
    if patch.decorated is not None:
        return [_replace_decorated(owner, name, patch.decorated, wrapping, switch)]
    return [_replace_attribute(owner, name, wrapping, switch)]


def _replace_decorated(
    owner: Any, name: str, variable: str, wrapping: Wrapping, switch: Switch
) -> Callable[[], None]:
    """Replace the function that the decorator of the target keeps in ``variable``."""
    cell = _cell(_static(owner, name), variable)
    if cell is None:
        raise AttributeError(f"{name} is not decorated, or keeps no {variable}")
    original = cell.cell_contents
    replacement = _wrapped(original, wrapping, switch, isinstance(owner, type))
    cell.cell_contents = replacement

    def undo() -> None:
        if cell.cell_contents is replacement:  # else somebody has wrapped it since: ours is off
            cell.cell_contents = original

    return undo


def _cell(function: Any, variable: str) -> CellType | None:
    """The cell of a free variable, of ``function`` or of what is wrapped in it."""
    while function is not None:
        code = getattr(function, "__code__", None)
        if code is not None and variable in code.co_freevars:
            return function.__closure__[code.co_freevars.index(variable)]
        function = getattr(function, "__wrapped__", None)
    return None


def _replace_attribute(
    owner: Any, name: str, wrapping: Wrapping, switch: Switch
) -> Callable[[], None]:
    inherited = name not in vars(owner)
    original = _static(owner, name)
    replacement = _wrapped(original, wrapping, switch, isinstance(owner, type))
    setattr(owner, name, replacement)

    def undo() -> None:
        if cast("dict[str, Any]", vars(owner)).get(name) is not replacement:
            return  # wrapped by somebody else since: theirs stays, ours is off
        if inherited:
            delattr(owner, name)
        else:
            setattr(owner, name, original)

    return undo


def _static(owner: Any, name: str) -> Any:
    """The attribute as it stands in the class that defines it, descriptors not called."""
    for holder in cast("tuple[Any, ...]", getattr(owner, "__mro__", (owner,))):
        if name in vars(holder):
            return cast(Any, vars(holder)[name])
    raise AttributeError(f"{getattr(owner, '__name__', owner)} has no {name}")


def _wrapped(original: Any, wrapping: Wrapping, switch: Switch, in_class: bool) -> Any:
    if isinstance(original, (staticmethod, classmethod)):
        function: Callable[..., Any] = original.__func__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  of any signature
        static = isinstance(original, staticmethod)
        wrapped = wrapping(function, switch, not static)
        return staticmethod(wrapped) if static else classmethod(wrapped)
    if not callable(original):
        raise AttributeError(f"{original!r} is no function")  # noqa: TRY004  as if it were not there
    if in_class and not _is_bound(original):
        return staticmethod(wrapping(original, switch, False))
    return wrapping(original, switch, in_class)


def _is_bound(attribute: Any) -> bool:
    """Whether Python hands the instance to what a class has as this attribute.

    A partial has a ``__get__`` since Python 3.13, which warns of the binding that 3.14 begins with.
    """
    if isinstance(attribute, functools.partial) and sys.version_info < (3, 14):
        return False
    return hasattr(cast(Any, type(attribute)), "__get__")


def _replace_in_subclasses(
    base: type[Any], name: str, wrapping: Wrapping, switch: Switch
) -> list[Callable[[], None]]:
    undo: list[Callable[[], None]] = []

    def implementation(cls: type[Any]) -> None:
        method = vars(cls).get(name)
        if method is not None and not getattr(method, "__isabstractmethod__", False):
            undo.append(_replace_attribute(cls, name, wrapping, switch))

    def every(cls: type[Any]) -> None:
        for subclass in cls.__subclasses__():
            implementation(subclass)
            every(subclass)

    every(base)
    restore = _on_subclass(base, switch, implementation)

    def undo_all() -> None:
        for step in reversed(undo):
            step()

    return [restore, undo_all]


def _replace_when_handed(
    owner: Any, name: str, method: str, wrapping: Wrapping, switch: Switch
) -> list[Callable[[], None]]:
    """Replace ``method`` in each class that the target, a method too, is handed from now on."""
    undo: list[Callable[[], None]] = []
    known: WeakSet[type[Any]] = WeakSet()

    def handed(value: object) -> None:
        if isinstance(value, type) and value not in known and hasattr(value, method):
            known.add(value)
            undo.append(_replace_attribute(value, method, wrapping, switch))

    def watching(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
        @functools.wraps(function)
        def receiving(*args: Any, **kwargs: Any) -> Any:
            for value in (*args, *kwargs.values()) if switch.on else ():
                try:
                    handed(value)
                except Exception:
                    errors.internal_error("patching a class")
            return function(*args, **kwargs)

        return receiving

    def undo_all() -> None:
        for step in reversed(undo):
            step()

    return [undo_all, _replace_attribute(owner, name, watching, switch)]


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

"""Replacing one target, and restoring the original.

Every function returns what undoes it, which leaves wrappers of others alone.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CellType, ModuleType
from typing import Any

from otel_agents.instrumentors._core.calls.call import Switch, Wrapping
from otel_agents.instrumentors._core.replacing.attributes import (
    ReplacedAttribute,
    static_attribute,
    wrap_attribute,
)
from otel_agents.instrumentors._core.replacing.subclasses import (
    replace_in_arguments,
    replace_in_subclasses,
)

from .patches import Patch

__all__ = ["replace"]


def replace(
    patch: Patch, wrapping: Wrapping, module: ModuleType, switch: Switch
) -> list[Callable[[], None]]:
    """Replace the target in ``module``; return what undoes it, in order of application."""
    *owners, name = patch.path
    owner: Any = module
    for part in owners:
        owner = getattr(owner, part)
    if patch.subclasses:
        static_attribute(owner, name)  # raises if the version does not have it
        return replace_in_subclasses(patch.target, owner, name, wrapping, switch)
    if patch.overrides:
        own = ReplacedAttribute(owner, name, wrapping, switch)
        return [own.restore, *replace_in_subclasses(patch.target, owner, name, wrapping, switch)]
    if patch.argument_method is not None:
        return replace_in_arguments(
            patch.target, owner, name, patch.argument_method, wrapping, switch
        )
    if patch.decorated is not None:
        return [_replace_decorated(owner, name, patch.decorated, wrapping, switch)]
    return [ReplacedAttribute(owner, name, wrapping, switch).restore]


def _replace_decorated(
    owner: Any, name: str, variable: str, wrapping: Wrapping, switch: Switch
) -> Callable[[], None]:
    """Replace the function that the target's decorator keeps in ``variable``."""
    cell = _cell(static_attribute(owner, name), variable)
    if cell is None:
        raise AttributeError(f"{name} is not decorated, or keeps no {variable}")
    original = cell.cell_contents
    replacement = wrap_attribute(original, wrapping, switch, isinstance(owner, type))
    cell.cell_contents = replacement

    def undo() -> None:
        # Else somebody has wrapped it since, and the switch is off.
        if cell.cell_contents is replacement:
            cell.cell_contents = original

    return undo


def _cell(function: Any, variable: str) -> CellType | None:
    """Return the cell of a free variable, of ``function`` or of what it wraps."""
    while function is not None:
        code = getattr(function, "__code__", None)
        if code is not None and variable in code.co_freevars:
            return function.__closure__[code.co_freevars.index(variable)]
        function = getattr(function, "__wrapped__", None)
    return None

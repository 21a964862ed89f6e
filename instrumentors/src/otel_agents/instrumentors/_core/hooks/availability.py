"""A check that a hook exists, without running application code."""

from __future__ import annotations

import symtable
import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

from .named_hooks import NamedHook

__all__ = ["why_missing"]


def why_missing(hook: NamedHook) -> str | None:
    """Return a sentence on why the hook cannot be loaded; None if it probably can."""
    try:
        module, path = hook.location
    except LookupError as error:
        return hook.unavailable(f"LookupError: {error}")
    spec = _spec_of(module)
    if spec is None:
        return hook.unavailable(f"there is no module {module}")
    name = path.partition(".")[0]
    if name and not _may_have(spec, name):
        return hook.unavailable(f"module {module} has no {name}")
    return None


def _spec_of(name: str) -> ModuleSpec | None:
    """Find a module on the path or in the working directory, without importing it."""
    path: list[str] | None = ["", *sys.path]
    spec: ModuleSpec | None = None
    above = ""
    for part in name.split("."):
        if path is None:
            return None
        above = f"{above}.{part}".lstrip(".")
        spec = PathFinder.find_spec(above, path)
        if spec is None:
            return None
        locations = spec.submodule_search_locations
        path = list(locations) if locations is not None else None
    return spec


def _may_have(spec: ModuleSpec, name: str) -> bool:
    """Return whether a module's source may bind ``name``; True if that is unclear."""
    loader: Any = spec.loader
    try:
        source = loader.get_source(spec.name)
        table = symtable.symtable(source, spec.origin or spec.name, "exec") if source else None
    except Exception:  # any loader may raise, and the source may not parse
        return True
    if table is None or "import *" in source:
        return True
    bound = {it.get_name() for it in table.get_symbols() if it.is_assigned() or it.is_imported()}
    return name in bound or "__getattr__" in bound

"""The package that contains AG2's agents: ``ag2`` since 1.0, ``autogen.beta`` before."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec

__all__ = ["package_name", "submodule_name"]


@lru_cache(maxsize=1)
def package_name() -> str:
    """Return the package name; both belong to one distribution, so at most one is installed."""
    return "ag2" if find_spec("ag2") is not None else "autogen.beta"


def submodule_name(module: str) -> str:
    """Return a module's name relative to the package; empty for a module outside of it."""
    prefix = f"{package_name()}."
    return module.removeprefix(prefix) if module.startswith(prefix) else ""

"""Packages that are there to be imported, of modules with the text that a test gives them."""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path
from types import ModuleType

__all__ = ["Packages"]

_numbers = itertools.count()


class Packages:
    """A folder of packages, each with a name of its own: no other test has imported it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []

    def make(self, **modules: str) -> str:
        """Make a package of ``modules``, the text of each by its name; returns its name."""
        name = f"lazy_package_{next(_numbers)}"
        self._names.append(name)
        (self._folder / name).mkdir()
        for module, text in {"__init__": "", **modules}.items():
            (self._folder / name / f"{module}.py").write_text(text)
        return name

    def load(self, name: str) -> ModuleType:
        """Import a module."""
        return importlib.import_module(name)

    def forget(self) -> None:
        """As if nothing had been imported."""
        for loaded in [name for name in sys.modules if name.partition(".")[0] in self._names]:
            del sys.modules[loaded]

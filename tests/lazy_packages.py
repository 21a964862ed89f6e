"""Packages that a test creates and imports, and tables applied to them; fixtures."""

from __future__ import annotations

import importlib
import itertools
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors._core.patching.patches import Row

__all__ = ["TELEMETRY", "Apply", "Logged", "Packages", "apply", "logged", "packages", "states"]

Apply = Callable[..., PatchSet]
"""Applies rows, of the distributions ``distributions``."""
Logged = Callable[[], list[str]]
"""Returns the targets in the log, and why."""
TELEMETRY: Any = object()
"""A placeholder for telemetry: toys emit nothing."""

_numbers = itertools.count()


class Packages:
    """A folder of packages with unique names: no other test has imported them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []

    def make(self, **modules: str) -> str:
        """Create a package of ``modules``, the text of each by its name; return its name."""
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
        """Remove the packages from `sys.modules`."""
        for loaded in [name for name in sys.modules if name.partition(".")[0] in self._names]:
            del sys.modules[loaded]


def states(patches: PatchSet) -> list[str]:
    """Return the state of each row."""
    return [target.state for target in patches.report().targets]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    """Packages on the path, removed at the end."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    packages = Packages(tmp_path)
    yield packages
    packages.forget()


@pytest.fixture
def apply() -> Iterator[Apply]:
    """Apply rows, and undo them at the end."""
    sets: list[PatchSet] = []

    def apply(*rows: Row, distributions: tuple[str, ...] = ()) -> PatchSet:
        sets.append(PatchSet("toy", rows, TELEMETRY, distributions))
        sets[-1].apply()
        return sets[-1]

    yield apply
    for rows in reversed(sets):
        rows.undo()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Logged:
    """Read the log."""
    caplog.set_level(logging.WARNING, "otel_agents")
    frame = "otel-agents: toy: {} was not found ({}), so its calls are not recorded; "
    start, middle, end = frame.replace("{}", "\0").split("\0")

    def lines() -> list[str]:
        texts = [record.getMessage() for record in caplog.records]
        return [text.removeprefix(start).partition(end)[0].replace(middle, ": ") for text in texts]

    return lines

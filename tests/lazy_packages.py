"""Packages that a test makes and imports, and tables applied to them; fixtures for a conftest."""

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

__all__ = ["TELEMETRY", "Apply", "Packages", "Said", "apply", "packages", "said", "states"]

Apply = Callable[..., PatchSet]
"""Applies rows, of the distributions ``holders``."""
Said = Callable[[], list[str]]
"""What the log says of targets: those, and why."""
TELEMETRY: Any = object()
"""Handed through; toys emit nothing."""

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


def states(patches: PatchSet) -> list[str]:
    """What became of each row."""
    return [target.state for target in patches.report().targets]


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    """Packages on the path, forgotten at the end."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    packages = Packages(tmp_path)
    yield packages
    packages.forget()


@pytest.fixture
def apply() -> Iterator[Apply]:
    """Applies rows, and undoes them at the end."""
    sets: list[PatchSet] = []

    def apply(*rows: Row, holders: tuple[str, ...] = ()) -> PatchSet:
        sets.append(PatchSet("toy", rows, TELEMETRY, holders))
        sets[-1].apply()
        return sets[-1]

    yield apply
    for rows in reversed(sets):
        rows.undo()


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Said:
    """Reads the log."""
    caplog.set_level(logging.WARNING, "otel_agents")
    frame = "otel-agents: toy: {} was not found ({}), so its calls are not recorded; "
    start, middle, end = frame.replace("{}", "\0").split("\0")

    def lines() -> list[str]:
        texts = [record.getMessage() for record in caplog.records]
        return [text.removeprefix(start).partition(end)[0].replace(middle, ": ") for text in texts]

    return lines

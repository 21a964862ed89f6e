"""The rooms (subpackages) of a package: allowed imports, one way and without cycles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from module_imports import imports, module_name

ROOT = Path(__file__).parents[2]
PARTS = ("semconv", "instrumentors", "distro", "tests/kit")
MOST_FILES = 12


@dataclass(frozen=True)
class House:
    """A package; each folder or module directly in it is a room.

    ``ground`` are modules that all rooms may import; each may import those before it. ``rooms``
    has the other rooms, each with the rooms that it imports.
    """

    folder: Path
    ground: tuple[str, ...]
    rooms: Mapping[str, frozenset[str]]

    @property
    def modules(self) -> dict[str, Path]:
        """Return the modules by full name."""
        return {module_name(path): path for path in self.folder.rglob("*.py")}

    def room(self, module: str) -> str:
        """Return the room of a module."""
        package = module_name(self.folder / "__init__.py")
        return module.removeprefix(package).lstrip(".").partition(".")[0] or "__init__"

    def arrows(self) -> dict[str, set[str]]:
        """Return the rooms, each with the rooms that its modules import, even inside functions."""
        found: dict[str, set[str]] = {}
        modules = self.modules
        for module, path in modules.items():
            room = found.setdefault(self.room(module), set())
            room |= {self.room(target) for target in targets(imports(path), modules)}
        return {room: others - {room} for room, others in found.items()}


HOUSES = {
    "distro": House(
        ROOT / "distro/src/otel_agents/distro",
        ground=("notices", "addresses", "headers", "variables", "environment", "discovery"),
        rooms={
            "otlp": frozenset(),
            "tree": frozenset(),
            "foreign": frozenset(),
            "export": frozenset({"foreign", "otlp", "tree"}),
            "ending": frozenset({"export"}),
            "starting": frozenset({"ending", "export", "foreign", "otlp"}),
            "doctor": frozenset({"starting", "otlp"}),
            "demo": frozenset({"otlp"}),
            "command": frozenset({"demo", "doctor", "starting"}),
            "__init__": frozenset({"starting"}),
            "__main__": frozenset({"command"}),
        },
    ),
    "the core of the instrumentors": House(
        ROOT / "instrumentors/src/otel_agents/instrumentors/_core",
        ground=(
            *("importlib_bootstrap", "system", "workers", "forking", "tables", "errors"),
            *("green_locks", "threads", "drivers", "collected", "current_context"),
        ),
        rooms={
            "encoding": frozenset(),
            "context": frozenset(),
            "hooks": frozenset({"encoding"}),
            "telemetry": frozenset({"context", "encoding", "hooks"}),
            "calls": frozenset({"context", "telemetry"}),
            "operations": frozenset({"calls", "context", "encoding", "telemetry"}),
            "replacing": frozenset({"calls"}),
            "patching": frozenset({"calls", "context", "operations", "replacing", "telemetry"}),
            "upload": frozenset({"hooks"}),  # its old path, for one release
            "__init__": frozenset(),
        },
    ),
}
each_house = pytest.mark.parametrize("house", HOUSES.values(), ids=HOUSES)


def targets(names: set[str], modules: Mapping[str, Path]) -> set[str]:
    """Return the ``modules`` of ``names``: a name is a module or in one."""
    found = {name if name in modules else name.rpartition(".")[0] for name in names}
    return found & modules.keys()


def circle(arrows: Mapping[str, set[str]] | Mapping[str, frozenset[str]]) -> list[str]:
    """Return one cycle of the arrows; an empty list if there is none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return error.args[1]
    return []


@each_house
def test_a_room_imports_what_its_row_allows(house: House) -> None:
    """Exactly these, so that the table documents the imports."""
    found = house.arrows()
    rooms = {room: others - {*house.ground} for room, others in found.items()}
    assert {room: rooms[room] for room in rooms.keys() - {*house.ground}} == house.rooms
    for position, module in enumerate(house.ground):
        assert found[module] <= {*house.ground[:position]}, module


@each_house
def test_rooms_have_no_circle(house: House) -> None:
    assert circle(house.rooms) == []


@each_house
def test_a_room_with_too_many_files_is_two(house: House) -> None:
    folders = {path.parent for path in house.folder.rglob("*.py")} - {house.folder}
    sizes = {folder.name: len([*folder.glob("*.py")]) for folder in folders}
    assert {name: size for name, size in sizes.items() if size > MOST_FILES} == {}


def test_modules_that_import_each_other_are_nowhere() -> None:
    """At import; parent packages of a module count too."""
    paths = [path for part in PARTS for path in (ROOT / part / "src").rglob("*.py")]
    modules = {module_name(path): path for path in paths}
    arrows: dict[str, set[str]] = {}
    for module, path in modules.items():
        direct = targets(imports(path, with_itself=True), modules)
        passed = {package for target in direct for package in packages(target)} & modules.keys()
        arrows[module] = direct | (passed - packages(module) - {module})
    assert circle(arrows) == []


def packages(module: str) -> set[str]:
    """Return the parent packages of a module."""
    parts = module.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts))}


def test_the_checks_see_what_they_forbid(tmp_path: Path) -> None:
    """A package that breaks each rule."""
    folder = tmp_path / "src/house"
    texts = {
        "__init__": "",
        "ground": "from . import later",
        "later": "",
        "one/__init__": "from .a import A",
        "one/a": "def f():\n    from house.two.b import B",
        "two/b": "import typing\nif typing.TYPE_CHECKING:\n    from ..one import A\nimport house.ground",
    }
    for name, text in texts.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = House(folder, ("ground", "later"), {}).arrows()
    assert found == {
        "__init__": set(),
        "ground": {"later"},
        "later": set(),
        "one": {"two"},
        "two": {"one", "ground"},
    }
    assert {*circle(found)} == {"one", "two"}
    assert imports(folder / "one/a.py", with_itself=True) == set()
    assert imports(folder / "two/b.py", with_itself=True) == {"typing", "house.ground"}
    assert imports(folder / "one/__init__.py", with_itself=True) == {"house.one.a.A"}

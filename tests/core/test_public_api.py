"""The public API for authors of instrumentors: complete, documented, and imported on first use."""

from __future__ import annotations

import ast
import json
from importlib import import_module
from pathlib import Path

import pytest
from new_processes import in_a_new_process

from otel_agents import instrumentors

FILE = Path(str(instrumentors.__file__))
ROOMS: dict[str, tuple[str, ...]] = vars(instrumentors)["_ROOMS"]
HOMES = {name: f"_core.{room}" for room, names in ROOMS.items() for name in names}


def checked() -> dict[str, str]:
    """Return what type checkers see: each name, and the module that it is imported from."""
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    found: dict[str, str] = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.level == 1
        for alias in node.names:
            assert alias.asname == alias.name  # else it is not a re-export
            found[alias.name] = str(node.module)
    return found


def test_all_lists_the_names_with_a_home_and_those_for_type_checkers() -> None:
    assert sorted(instrumentors.__all__) == sorted(HOMES)
    assert len(HOMES) == sum(map(len, ROOMS.values()))
    assert checked() == HOMES
    assert [*instrumentors.__all__] == sorted(instrumentors.__all__)


@pytest.mark.parametrize("name", sorted(HOMES))
def test_every_name_is_its_homes_and_documented(name: str) -> None:
    value = getattr(instrumentors, name)
    home = import_module(f"{instrumentors.__name__}.{HOMES[name]}")
    assert value is getattr(home, name)
    if callable(value) and name != "Start":
        assert (value.__doc__ or "").strip()


def test_importing_it_imports_nothing_of_the_core() -> None:
    code = (
        "import json, sys; import otel_agents.instrumentors as face; dir(face); "
        "print(json.dumps([n for n in sys.modules if n.startswith(('otel', 'opentelemetry'))]))"
    )
    loaded: list[str] = json.loads(in_a_new_process(code))
    assert sorted(loaded) == ["otel_agents", "otel_agents.instrumentors"]


def test_each_name_can_be_used_first() -> None:
    """No module of the core depends on another having been imported by chance."""
    code = """if True:
        import importlib, sys
        face = importlib.import_module("otel_agents.instrumentors")
        for name in face.__all__:
            for loaded in [it for it in sys.modules if it.startswith("otel_agents.instrumentors")]:
                del sys.modules[loaded]
            face = importlib.import_module("otel_agents.instrumentors")
            assert name not in vars(face)
            assert getattr(face, name) is vars(face)[name]
        print(len(face.__all__))
        """
    assert in_a_new_process(code) == f"{len(HOMES)}\n"


def test_all_of_it_can_be_imported_at_once() -> None:
    code = (
        "from otel_agents.instrumentors import *; from otel_agents import instrumentors; "
        "print([n for n in instrumentors.__all__ if globals()[n] is not vars(instrumentors)[n]])"
    )
    assert in_a_new_process(code) == "[]\n"


@pytest.mark.parametrize("name", ["Nothing", "_Private", "_core_", "__wrapped__"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    message = f"^module 'otel_agents.instrumentors' has no attribute '{name}'$"
    with pytest.raises(AttributeError, match=message):
        getattr(instrumentors, name)
    assert not hasattr(instrumentors, name)


def test_dir_lists_each_name_once() -> None:
    for name in HOMES:
        getattr(instrumentors, name)
    found = dir(instrumentors)
    assert {*HOMES} <= {*found}
    assert sorted({*found}) == found


def test_subpackages_are_attributes_as_well() -> None:
    code = (
        "import sys; import otel_agents.instrumentors.openai; from otel_agents import instrumentors; "
        "print(instrumentors.openai is sys.modules['otel_agents.instrumentors.openai'])"
    )
    assert in_a_new_process(code) == "True\n"

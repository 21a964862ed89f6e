"""The test environments are locked, cover every test and module, and match the metadata."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from suite import LAWS, environment_of, paths_tested

ROOT = Path(__file__).parents[2]
HERE = ROOT / "tests/environments"
ROWS: dict[str, dict[str, Any]] = json.loads((HERE / "environments.json").read_text("utf-8"))
MEMBERS = ("semconv", "instrumentors", "distro", "tests/kit")
PIN = re.compile(r"([a-z0-9-]+)==(\S+)(?: ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)")


def requirements_of(name: str) -> list[Requirement]:
    """Return the requirements of an environment, including those of included files."""
    requirements: list[Requirement] = []
    for line in (HERE / name).read_text("utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            requirements += requirements_of(text.removeprefix("-r "))
        elif text:
            requirements.append(Requirement(text))
    return requirements


@pytest.mark.parametrize("name", ROWS)
def test_a_lock_file_holds_pins_with_hashes_and_nothing_else(name: str) -> None:
    assert PIN.sub("", (HERE / f"{name}.txt").read_text("utf-8")) == ""


@pytest.mark.parametrize("name", ROWS)
def test_a_lock_file_is_that_of_its_requirements(name: str) -> None:
    pins: dict[str, list[str]] = {}
    for pin in PIN.finditer((HERE / f"{name}.txt").read_text("utf-8")):
        pins.setdefault(pin[1], []).append(pin[2])
    for requirement in requirements_of(f"{name}.in"):
        assert requirement.name in pins, f"make lock: {name} lacks {requirement.name}"
        for version in pins[requirement.name]:
            assert requirement.specifier.contains(Version(version), prereleases=True), requirement


def test_the_supported_opentelemetry_runs_from_the_floor_to_the_newest() -> None:
    floor = re.findall(
        r'"opentelemetry-(?:api|sdk) >= ([\d.]+), < 2"',
        "".join((ROOT / member / "pyproject.toml").read_text("utf-8") for member in MEMBERS),
    )
    assert set(floor) == {"1.34"}
    assert "opentelemetry-sdk==1.34.1 " in (HERE / "otel-floor.txt").read_text("utf-8")
    assert "opentelemetry-sdk==1.45." in (HERE / "openai3.txt").read_text("utf-8")


def test_every_test_runs_in_some_environment() -> None:
    run = [ROOT / path for row in ROWS.values() for path in row["tests"]]
    for path in (ROOT / "tests").rglob("test_*.py"):
        assert any(path.is_relative_to(one) for one in run), path


@pytest.mark.parametrize("name", ROWS)
def test_a_law_on_other_versions_is_one_that_has_tests_there(name: str) -> None:
    for path, laws in ROWS[name].get("laws", {}).items():
        stems = [file.stem for file in (ROOT / path).rglob("test_*.py")]
        assert any(stem.endswith(tuple(LAWS[laws])) for stem in stems), path
        assert path in paths_tested(name)


def test_each_law_has_a_test_somewhere() -> None:
    for laws in LAWS.values():
        for law in laws:
            assert list((ROOT / "tests").rglob(f"test_*{law}.py")), law


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tests/core/test_calls.py", "openai3"),
        ("tests/instrumentors/crewai/test_crewai_tree.py::test_name", "crewai"),
        ("tests/pipeline/test_golden.py", "backends"),
    ],
)
def test_a_test_file_has_one_environment_of_the_newest_versions(path: str, name: str) -> None:
    assert environment_of(path) == name


def test_every_module_is_checked_by_types_somewhere() -> None:
    def checks(row: dict[str, Any], path: Path) -> bool:
        left = any(path.is_relative_to(ROOT / one) for one in row.get("types_left", []))
        return not left and any(path.is_relative_to(ROOT / one) for one in row["types"])

    for folder in ("docs", "examples", "tests", *MEMBERS):
        for path in (ROOT / folder).rglob("*.py"):
            assert any(checks(row, path) for row in ROWS.values()), path


def test_the_pythons_of_the_metadata_are_those_that_ci_runs() -> None:
    loop = re.search(
        r"^for version in (.*); do$", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE
    )
    assert loop is not None
    for member in MEMBERS:
        text = (ROOT / member / "pyproject.toml").read_text("utf-8")
        classifiers = re.findall(
            r'"Programming Language :: Python :: (3\.\d+)",( # untested)?', text
        )
        assert [version for version, untested in classifiers if not untested] == loop[1].split()
        assert [version for version, untested in classifiers if untested] == ["3.14"]
    assert {"3.11", *ROWS["openai3"]["pythons"]} == set(loop[1].split())


@pytest.mark.parametrize("name", ROWS)
def test_what_is_left_out_on_other_pythons_is_tested_on_the_main_one(name: str) -> None:
    """A path that is left out as a whole must be a path of the row, or it would not be left out."""
    whole = paths_tested(name)
    other = paths_tested(name, other=True)
    left = ROWS[name].get("same_on_all_pythons", [])
    for path in left:
        assert path not in other, path
        inside = any(Path(path).is_relative_to(one) for one in whole)
        assert path in whole or (path.endswith(".py") and inside), path
    assert not left or any(not path.startswith("--") for path in other)
    assert left or other == whole

"""Allowed imports between parts, and folders that must not be packages."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distribution
from pathlib import Path

import distro
import pytest
from module_imports import imports

ROOT = Path(__file__).parents[2]
KIT = "otel_agents.testing"
FORBIDDEN = {
    "semconv": ("opentelemetry", "otel_agents.instrumentors", "otel_agents.distro", KIT),
    "instrumentors": ("opentelemetry.sdk", "opentelemetry.exporter", "otel_agents.distro", KIT),
    "tests/kit": (
        "otel_agents.distro",
        "otel_agents.instrumentors._core",
        "otel_agents.instrumentors._dialects",
        "otel_agents.instrumentors._sdks",
    ),
}
"""Packages that a part must not import, even inside functions."""
PARTS = (*FORBIDDEN, "distro")
INSTRUMENTORS = ROOT / "instrumentors/src/otel_agents/instrumentors"
CORE = "otel_agents.instrumentors._core"
SHARED = ("_core", "_dialects", "_sdks")
"""What the instrumentors share; each may import those before it."""
OUTSIDE = ("semconv", "distro", "tests/kit", "examples", "docs", "collector-config")
"""Folders that must not use the core: a distribution has ``hosting``, others the public API."""
DISTRIBUTIONS = (
    "otel-agents",
    "otel-agents-instrumentors",
    "otel-agents-semconv",
    "otel-agents-testing",
)
ENVIRONMENT = {"settings.py"}
"""The modules of the instrumentors that read the environment; the distro has its own."""


def inside(names: set[str], packages: tuple[str, ...]) -> list[str]:
    """Return those of ``names`` that are in one of ``packages``."""
    prefixes = tuple(f"{package}." for package in packages)
    return sorted(name for name in names if f"{name}.".startswith(prefixes))


@pytest.mark.parametrize("part", FORBIDDEN)
def test_each_part_keeps_to_its_layer(part: str) -> None:
    for path in (ROOT / part / "src").rglob("*.py"):
        assert inside(imports(path), FORBIDDEN[part]) == [], path


def test_the_distro_imports_the_kit_for_its_demo_alone() -> None:
    package = ROOT / "distro/src/otel_agents/distro"
    users = {path for path in package.rglob("*.py") if inside(imports(path), (KIT,))}
    assert {path.relative_to(package).parts[0] for path in users} == {"demo"}
    assert package / "demo/__init__.py" not in users  # it reports the missing kit


def test_the_scripted_model_imports_the_standard_library_and_itself_alone() -> None:
    model = f"{KIT}.scripted_model"
    for path in (ROOT / "tests/kit/src/otel_agents/testing/scripted_model").rglob("*.py"):
        names = imports(path)
        own = inside(names, (model,))
        others = {name.partition(".")[0] for name in names.difference(own)}
        assert others <= sys.stdlib_module_names | {"typing_extensions"}, path  # only for types


def test_pytest_is_needed_by_the_kits_plugin_alone() -> None:
    package = ROOT / "tests/kit/src/otel_agents/testing"
    users = [path for path in package.rglob("*.py") if inside(imports(path), ("pytest", "_pytest"))]
    assert users == [package / "plugin.py"]


def test_no_framework_imports_another_and_what_they_share_imports_none() -> None:
    """A framework may use the rooms below it, each of which may use those before it."""
    package = "otel_agents.instrumentors"
    names = {path.parent.name for path in INSTRUMENTORS.glob("*/__init__.py")}
    frameworks = names - {*SHARED}
    for path in INSTRUMENTORS.glob("*/**/*.py"):
        own = path.relative_to(INSTRUMENTORS).parts[0]
        barred = frameworks - {own}
        if own in SHARED:
            barred |= {*SHARED[SHARED.index(own) + 1 :]}
        others = tuple(f"{package}.{name}" for name in barred)
        assert inside(imports(path), others) == [], path


def test_the_core_is_known_to_the_instrumentors_alone() -> None:
    """By import or by name, in any file."""
    files = (path for part in OUTSIDE for path in (ROOT / part).rglob("*") if path.is_file())
    assert [path for path in files if mentions_core(path)] == []


PRIVATE = re.compile(rb"(?<![A-Za-z0-9])_(core|dialects|sdks)\b")
"""Private packages of the instrumentors, by import or file path."""


def mentions_core(path: Path) -> bool:
    """Return whether a file mentions the core."""
    if path.suffix == ".pyc":
        return False
    named = PRIVATE.search(path.read_bytes())
    return named is not None or (path.suffix == ".py" and inside(imports(path), (CORE,)) != [])


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_entry_points_are_public(name: str) -> None:
    values = [found.value for found in distribution(name).entry_points]
    assert [value for value in values if re.search(r"[.:]_", value)] == []


def test_what_a_fork_renews_is_in_one_registry() -> None:
    sources = (path for part in PARTS for path in (ROOT / part / "src").rglob("*.py"))
    found = [path for path in sources if "register_at_fork" in path.read_text("utf-8")]
    assert found == [INSTRUMENTORS / "_core/forking.py"]


@pytest.mark.parametrize("part", PARTS)
def test_the_namespace_has_no_packages_of_its_own(part: str) -> None:
    assert not (ROOT / part / "__init__.py").exists()
    assert not (ROOT / part / "src/__init__.py").exists()
    assert not (ROOT / part / "src/otel_agents/__init__.py").exists()


def test_the_folder_distro_does_not_shadow_the_package_of_that_name() -> None:
    assert callable(distro.id)


def test_the_environment_is_read_in_one_module() -> None:
    for path in (*INSTRUMENTORS.rglob("*.py"), *(ROOT / "semconv/src").rglob("*.py")):
        if path.name not in ENVIRONMENT:
            assert not re.search(r"\benviron\b|\bgetenv\b", path.read_text("utf-8")), path


def test_names_of_attributes_are_quoted_only_in_semconv() -> None:
    for part in ("instrumentors", "distro", "tests/kit"):
        for path in (ROOT / part / "src").rglob("*.py"):
            assert not re.search(r'["\']gen_ai\.[a-z]', path.read_text("utf-8")), path


def test_imports_resolves_what_is_relative() -> None:
    """The other tests depend on it."""
    assert "otel_agents.instrumentors._core.errors" in imports(
        INSTRUMENTORS / "_core/calls/around.py"
    )
    package = INSTRUMENTORS / "_core/operations/__init__.py"
    assert "otel_agents.instrumentors._core.operations.operation.Operation" in imports(package)

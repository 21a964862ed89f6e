"""Who may import whom, which folders must not be packages, and what no file may hold."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import distro
import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = {
    "semconv": ("opentelemetry", "otel_agents.instrumentors", "otel_agents.distro"),
    "instrumentors": ("opentelemetry.sdk", "opentelemetry.exporter", "otel_agents.distro"),
    "distro": (),
}
INSTRUMENTORS = ROOT / "instrumentors/src/otel_agents/instrumentors"


def imports(path: Path) -> set[str]:
    """The absolute names that a module imports, wherever it does."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def tracked() -> list[Path]:
    """The files of the repository, those to come included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("part", FORBIDDEN)
def test_each_part_keeps_to_its_layer(part: str) -> None:
    for path in (ROOT / part / "src").rglob("*.py"):
        wrong = [name for name in imports(path) if name.startswith(FORBIDDEN[part] or ("-",))]
        assert wrong == [], path


def test_no_framework_imports_another_and_the_core_imports_none() -> None:
    frameworks = {p.parent.name for p in INSTRUMENTORS.glob("*/__init__.py")} - {"_core"}
    for path in INSTRUMENTORS.glob("*/**/*.py"):
        own = path.relative_to(INSTRUMENTORS).parts[0]
        others = tuple(f"otel_agents.instrumentors.{name}." for name in frameworks if name != own)
        wrong = [name for name in imports(path) if f"{name}.".startswith(others)]
        assert wrong == [], path


@pytest.mark.parametrize("part", FORBIDDEN)
def test_the_namespace_has_no_packages_of_its_own(part: str) -> None:
    assert not (ROOT / part / "__init__.py").exists()
    assert not (ROOT / part / "src/otel_agents/__init__.py").exists()


def test_distro_is_the_package_of_that_name() -> None:
    assert callable(distro.id)


def test_the_environment_is_read_in_few_places() -> None:
    allowed = {"settings.py", "environment.py"}
    for path in (*INSTRUMENTORS.rglob("*.py"), *(ROOT / "semconv/src").rglob("*.py")):
        if path.name not in allowed:
            assert "environ" not in path.read_text().replace("environment", ""), path


def test_names_of_attributes_are_quoted_only_in_semconv() -> None:
    for part in ("instrumentors", "distro"):
        for path in (ROOT / part / "src").rglob("*.py"):
            assert not re.search(r'["\']gen_ai\.[a-z]', path.read_text()), path


def test_no_file_names_a_machine_or_a_registry() -> None:
    forbidden = re.compile(
        r"(?<![A-Za-z0-9_.])/(?:root|work|home/[a-z]+)/|https?://[^\s\"]+/(?:simple|packages|maven2|@v)/"
    )
    for path in tracked():
        if path.suffix in (".png", ".pyc") or path == Path(__file__):
            continue
        found = forbidden.search(path.read_text(errors="replace"))
        assert found is None, f"{path}: {found}"


def test_no_syntax_is_newer_than_the_oldest_python() -> None:
    for path in tracked():
        if path.suffix == ".py":
            ast.parse(path.read_text(), feature_version=(3, 10))

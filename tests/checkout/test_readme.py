"""The generated tables of the README are up to date, and its links work."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import process_models
import pytest
from faults import ROWS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def generator() -> Any:
    spec = importlib.util.spec_from_file_location("readme", ROOT / "docs/readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("part", ["matrix", "settings", "privacy", "faults", "processes"])
def test_the_tables_are_true(generator: Any, part: str) -> None:
    text = (ROOT / "README.md").read_text()
    assert generator.replaced(text, part, getattr(generator, part.replace("-", "_"))()) == text


def test_every_fault_of_the_table_is_measured_by_a_test() -> None:
    suites = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    found = re.findall(r"\bmeasured\(\s*\"([\w-]+)\"", suites)
    assert sorted(set(found)) == sorted(ROWS)


def test_every_process_model_of_the_table_is_measured_by_a_test() -> None:
    suites = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert [key for key in process_models.ROWS if f'"{key}"' not in suites] == []


def test_links_lead_to_files() -> None:
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\(((?!https?:)[^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_changelog_fragments_make_a_changelog() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0.1.0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "OpenAI SDK" in done.stdout


def test_the_smallest_instrumentor_is_the_one_of_the_example() -> None:
    source = ROOT / "examples/house_agents/src/house_agents_telemetry/__init__.py"
    text = (ROOT / "instrumentors/README.md").read_text("utf-8")
    block = text.partition("<!-- smallest -->")[2].partition("<!-- /smallest -->")[0]
    assert block.strip() == f"```python\n{source.read_text('utf-8')}```"

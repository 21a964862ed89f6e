"""Contents that no file of the repository may have."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MACHINE = r"(?<![\w.])/(?:root|work|home/\w+|Users/\w+|tmp)/"
ADDRESS = r"https?://[^\s\"]+/(?:simple|packages|maven2|@v)/|\bpypi\.org/simple|pythonhosted"
SIBLINGS = r"\.\./shared"


def tracked() -> list[Path]:
    """Return the files of the repository, including untracked ones."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


@pytest.mark.parametrize("pattern", [MACHINE, ADDRESS, SIBLINGS])
def test_no_file_names_a_machine_a_registry_or_a_sibling_folder(pattern: str) -> None:
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path in tracked()
        if path != Path(__file__)
        for match in [re.search(pattern, path.read_text("utf-8", errors="replace"))]
        if match
    }
    assert found == {}


def test_no_syntax_is_newer_than_the_oldest_python() -> None:
    for path in tracked():
        if path.suffix == ".py":
            ast.parse(path.read_text("utf-8"), str(path), feature_version=(3, 10))


def test_every_module_has_a_docstring() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix == ".py" and ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert silent == []

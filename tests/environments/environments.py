"""The test environments: their rows, each created on first use.

Standard library only: it runs on a machine that has Python 3.10 and pip, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MEMBERS = ("semconv", "instrumentors", "distro", "tests/kit")
TOOLS = "tools"
ROWS: dict[str, dict[str, Any]] = json.loads((HERE / "environments.json").read_text("utf-8"))
QUIET = {
    "PIP_ROOT_USER_ACTION": "ignore",
    "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",  # no check for a newer version
    "UV_NO_PROGRESS": "1",
    "UV_PYTHON_DOWNLOADS": "never",
}
"""Set for every step."""


class Failed(Exception):
    """A step failed; its output says why."""


def run(*command: str | Path) -> None:
    """Run a command in the checkout; its output is passed on."""
    parts = [str(part) for part in command]
    done = subprocess.run(parts, cwd=ROOT, env={**os.environ, **QUIET}, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(parts)}: exit status {done.returncode}")


def become(*command: str | Path) -> None:
    """Replace this process with a command in the checkout, so that a signal reaches it."""
    if os.name != "posix":
        return run(*command)
    parts = [str(part) for part in command]
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execve(parts[0], parts, {**os.environ, **QUIET})


class Environments:
    """The environments below one directory, created on first use."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()

    def python(self, name: str) -> Path:
        """Return the interpreter of an environment, after updating it."""
        folder = self.directory / name
        python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        row = ROWS[name]
        parts = row.get("installs", []) if row.get("bare") else [*MEMBERS, *row.get("installs", [])]
        projects = [ROOT / part for part in parts]
        sources = [project / "pyproject.toml" for project in projects]
        self._keep(name, sources, lambda lock: self._make(folder, python, lock, projects))
        return python

    def uv(self) -> Path:
        """Return the program uv, installed by pip into its own folder."""
        folder = self.directory / TOOLS
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        into = ("--upgrade", "--target", folder)
        self._keep(TOOLS, [], lambda lock: run(*pip, *into, "--require-hashes", "-r", lock))
        return folder / "bin" / ("uv.exe" if os.name == "nt" else "uv")

    def _keep(self, name: str, sources: list[Path], make: Callable[[Path], None]) -> None:
        """Create it if it is missing or was created from other files."""
        lock = HERE / f"{name}.txt"
        digest = hashlib.sha256(f"{sys.version} {sys.base_prefix} {ROOT}".encode())
        for source in (lock, *sources):
            digest.update(source.read_bytes())
        stamp = self.directory / name / "stamp"
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return
        print(f"environment {name}: setting up", flush=True)
        make(lock)
        stamp.write_text(digest.hexdigest())

    def _make(self, folder: Path, python: Path, lock: Path, projects: list[Path]) -> None:
        uv = self.uv()
        run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        install = (uv, "pip", "install", "--quiet", "--python", python)
        consistent = "overrides" not in ROWS[folder.name]
        whole = ("--require-hashes",) if consistent else ("--require-hashes", "--no-deps")
        run(*install, *whole, "-r", lock)
        members = [part for project in projects for part in ("-e", project)]
        if members:
            # Built with locked build tools: nothing comes from the index unlocked.
            run(*install, "--no-deps", "--no-build-isolation", *members)
        if consistent:
            run(uv, "pip", "check", "--quiet", "--python", python)

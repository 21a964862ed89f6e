"""Sets up the test environments and runs what belongs to each; what the Makefile calls.

Standard library only: it runs on a machine that has Python 3.10 and pip, and nothing else.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MEMBERS = ("semconv", "instrumentors", "distro")
MAIN = "openai3"
ROWS: dict[str, dict[str, Any]] = json.loads((HERE / "environments.json").read_text())


class Failed(Exception):
    """A step did not work; its output says why."""


def run(*command: str | Path, **environ: str) -> None:
    """Run a command in the checkout; its output is the user's."""
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env={**os.environ, **environ}, check=False
    )
    if done.returncode:
        raise Failed(f"{' '.join(str(part) for part in command)}: exit status {done.returncode}")


class Environments:
    """The environments below one directory, made when first asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()

    def python(self, name: str) -> Path:
        """The interpreter of an environment that is up to date."""
        folder = self._directory / name
        python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        stamp = folder / "stamp"
        wanted = self._fingerprint(name)
        if not stamp.exists() or stamp.read_text() != wanted:
            print(f"environment {name}: setting up", flush=True)
            self._make(name, folder, python)
            stamp.write_text(wanted)
        return python

    def _fingerprint(self, name: str) -> str:
        sources = [HERE / f"{name}.txt", *(ROOT / member / "pyproject.toml" for member in MEMBERS)]
        digest = hashlib.sha256(sys.version.encode())
        for source in sources if name != "tools" else sources[:1]:
            digest.update(source.read_bytes())
        return digest.hexdigest()

    def _make(self, name: str, folder: Path, python: Path) -> None:
        lock = HERE / f"{name}.txt"
        if name == "tools":
            run(sys.executable, "-m", "venv", "--clear", folder)
            install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            run(*install, "--require-hashes", "-r", lock)
            return
        uv = self.uv()
        run(*uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder)
        install = (*uv, "pip", "install", "--quiet", "--python", python)
        run(*install, "--require-hashes", "-r", lock)
        members = [part for member in MEMBERS for part in ("-e", ROOT / member)]
        run(*install, "--no-deps", *members)

    def uv(self) -> tuple[Path | str, ...]:
        """The command of uv, from an environment of its own."""
        return (self.python("tools"), "-m", "uv")


def supported(name: str) -> bool:
    """Whether an environment can be made for this Python; says so if not."""
    below = ROWS[name].get("python_below")
    if below and sys.version_info[:2] >= tuple(map(int, below.split("."))):
        print(f"environment {name}: its versions are older than this Python, so it is left out")
        return False
    return True


def check(environments: Environments, only: list[str]) -> None:
    """Formatting, lint, and types once per environment over the files that belong to it."""
    main = environments.python(MAIN)
    run(main, "-m", "ruff", "format", "--check", ".")
    run(main, "-m", "ruff", "check", ".")
    for name, row in ROWS.items():
        if row["types"] and name in only:
            python = environments.python(name)
            run(python, "-m", "pyright", "--pythonpath", python, *row["types"])


def test(environments: Environments, only: list[str], extra: list[str]) -> None:
    """Every suite in its environment; all of them run, then a failure is told."""
    failures: list[str] = []
    for name, row in ROWS.items():
        if name not in only or not row["tests"] or not supported(name):
            continue
        python = environments.python(name)
        print(f"environment {name}: testing", flush=True)
        try:
            run(python, "-m", "pytest", "-q", *row["tests"], *extra)
        except Failed as failed:
            failures.append(f"{name}: {failed}")
    if failures:
        raise Failed("\n".join(failures))


def lock(environments: Environments, only: list[str]) -> None:
    """Resolve every environment again, and write the lock files."""
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    options = ("--universal", "--python-version", "3.10", "--generate-hashes", "--no-header")
    silent = ("--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--upgrade", "-q")
    for name in only:
        row = ROWS[name]
        dated: list[str] = []
        if "exclude_newer" in row:
            lifted = [f"--exclude-newer-package={package}={today}" for package in row["lifted"]]
            dated = ["--exclude-newer", row["exclude_newer"], *lifted]
        source, target = HERE / f"{name}.in", HERE / f"{name}.txt"
        run(*environments.uv(), "pip", "compile", *options, *silent, *dated, source, "-o", target)


def main() -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", type=Path, default=ROOT / ".environments")
    parser.add_argument("command", choices=["demo", "test", "check", "bench", "lock", "readme"])
    parser.add_argument("--only", action="append", choices=list(ROWS), default=[])
    parser.add_argument("--no-check", action="store_true", help="test without the checks")
    arguments, extra = parser.parse_known_args()
    environments = Environments(arguments.directory)
    only: list[str] = arguments.only or list(ROWS)
    try:
        if arguments.command == "lock":
            lock(environments, only)
        elif arguments.command == "check":
            check(environments, only)
        elif arguments.command == "test":
            if not arguments.no_check:
                check(environments, only)
            test(environments, only, extra)
        else:
            script = {
                "demo": ("examples/run.py",),
                "bench": ("tests/benchmarks/run.py",),
                "readme": ("docs/readme.py",),
            }[arguments.command]
            run(environments.python(MAIN), *script, *extra)
    except Failed as failed:
        print(f"failed: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

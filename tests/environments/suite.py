"""Creates the test environments and runs the suites of each, for the Makefile.

Standard library only: it runs on a machine that has Python 3.10 and pip, and nothing else.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from environments import HERE, ROOT, ROWS, Environments, Failed, become, run
from jobs import Job, Run

MAIN = "openai3"
LIFTED: list[str] = json.loads((HERE / "lifted.json").read_text("utf-8"))
"""Packages that dated environments have in their newest version: OpenTelemetry and test tools."""
LAWS: dict[str, list[str]] = json.loads((HERE / "laws.json").read_text("utf-8"))
"""The laws that run on versions other than the newest, by the ends of their test files' names."""
SCRIPTS = {
    "demo": ("demo", "distro/src/otel_agents/distro/demo/__main__.py"),
    "bench": (
        *(MAIN, "tests/benchmarks/run.py", "stock", "bench-sdks"),
        *("bench-crewai", "bench-langchain", "bench-llama-index", "bench-dspy"),
        *("bench-openai-agents", "bench-ag2", "bench-autogen"),
    ),
    "readme": ("demo", "docs/readme.py"),
    "dist": (MAIN, "tests/environments/distributions.py"),
    "load": ("backends", "tests/backends/load.py"),
    "show": ("backends", "tests/backends/show.py"),
}
"""Commands that run one script: its environment, its path, the environments it compares with."""
COMMANDS = ("all", "check", "test", "file", "lock", "prepare", *SCRIPTS)
_INTERRUPTED = 130
OF_ALL = {"PYTEST_ADDOPTS": "-p no:cacheprovider"}
"""Set for environments that are tested in parallel: they would share the cache's folder."""


def supported(name: str) -> bool:
    """Return whether this Python supports an environment; print a line if not."""
    below = ROWS[name].get("python_below")
    if below and sys.version_info[:2] >= tuple(map(int, below.split("."))):
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"environment {name}: its packages are too old for Python {version}: left out")
        return False
    return True


def obtained(name: str) -> bool:
    """Return whether the programs of an environment's tests are installed; print a line if not.

    In CI it is obtained now, or waited for where another process is at it.

    Raises:
        Failed: It is not there, and this is CI.
    """
    if not ROWS[name].get("obtains"):
        return True
    script = ROOT / ROWS[name]["obtains"]
    if os.environ.get("CI") == "true":
        subprocess.run([sys.executable, str(script)], stdout=subprocess.DEVNULL, check=False)
    missing = missing_of(name)
    if missing and os.environ.get("CI") == "true":
        raise Failed(f"environment {name}: {missing} not obtained: make backends")
    if missing:
        print(f"environment {name}: {missing} not obtained: left out; make backends")
    return not missing


def missing_of(name: str) -> str:
    """Return the names of programs that an environment's tests need and that are not installed."""
    command = (sys.executable, str(ROOT / ROWS[name]["obtains"]), "missing")
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def typed(name: str) -> list[Path]:
    """Return the paths for the type checker: a folder is expanded if others check part of it."""
    paths = [ROOT / path for path in ROWS[name]["types"]]
    for left in [ROOT / path for path in ROWS[name].get("types_left", [])]:
        while around := [path for path in paths if left.is_relative_to(path)]:
            paths.remove(around[0])
            if around[0] == left:
                break
            inner = [path for path in around[0].iterdir() if path.is_dir() or path.suffix == ".py"]
            paths += [path for path in inner if path.name != "__pycache__"]
    return sorted(paths)


def check(environments: Environments, only: list[str]) -> list[str]:
    """Check types once per environment, over its files, and style in the main one."""
    commands: list[tuple[str | Path, ...]] = []
    for name in only:
        if name == MAIN:
            ruff = (environments.python(name), "-m", "ruff")
            commands += [(*ruff, "format", "--check", "."), (*ruff, "check", ".")]
        if ROWS[name]["types"] and supported(name):
            python = environments.python(name)
            commands.append((python, "-m", "pyright", "--pythonpath", python, *typed(name)))
    return failures_of(commands)


def test(environments: Environments, only: list[str], extra: list[str], other: bool) -> list[str]:
    """Run each suite in its environment; ``other`` if on another Python too, see `paths_tested`."""
    failures: list[str] = []
    for name in only:
        try:
            runs = bool(paths_tested(name, other)) and supported(name) and obtained(name)
        except Failed as failed:
            failures.append(str(failed))
            continue
        if runs:
            python = environments.python(name)
            version = ".".join(map(str, sys.version_info[:2]))
            print(f"environment {name}: testing on Python {version}", flush=True)
            complete = not extra and not other
            options = ROWS[name].get("whole", []) if complete else extra
            command = (python, "-m", "pytest", "-q", *paths_tested(name, other), *options)
            failures += failures_of([command])
    return failures


def paths_tested(name: str, other: bool = False) -> list[str]:
    """Return the test paths of an environment, and options that leave out files of other laws.

    A file that is named would run although a conftest leaves it out for this version. ``other``
    leaves out what the run on the main Python proves for all of them.
    """
    row = ROWS[name]
    same: list[str] = row.get("same_on_all_pythons", []) if other else []
    laws = {path: laws for path, laws in row.get("laws", {}).items() if path not in same}
    paths = [path for path in [*row["tests"], *laws] if path not in same]
    for path, ends in laws.items():
        files = sorted((ROOT / path).rglob("test_*.py"))
        others = [file for file in files if not file.stem.endswith(tuple(LAWS[ends]))]
        paths += [f"--ignore={file.relative_to(ROOT)}" for file in others]
    inner = [path for path in same if path.endswith(".py")]
    return [*paths, *(f"--ignore={path}" for path in inner)]


def jobs_of(
    command: str, environments: Environments, only: list[str], extra: list[str], also: list[str]
) -> Iterator[Job]:
    """Return a job for each environment, then those of other Pythons; long ones come first.

    ``also`` has items of the form ``VERSION=INTERPRETER``.
    """

    def job(name: str, python: str, directory: Path, shown: str, *command: str) -> Job:
        suite = (python, __file__, "--directory", str(directory), "--only", name)
        return Job(shown, (*suite, *command), (*suite, "prepare"), lambda: awaited(name))

    def of_others(name: str) -> Iterator[Job]:
        for version, python in (other.split("=", 1) for other in also):
            if version in ROWS[name].get("pythons", []):
                folder = environments.directory / f"python{version}"
                shown = f"{name} on Python {version}"
                yield job(name, python, folder, shown, "--other", "test", *extra)

    for name in only:
        if (ROWS[name]["types"] or paths_tested(name)) and supported(name):
            yield job(name, sys.executable, environments.directory, name, command, *extra)
        yield from of_others(name)


def awaited(name: str) -> bool:
    """Return whether the programs of an environment's tests are still being obtained."""
    return bool(ROWS[name].get("obtains") and missing_of(name))


def environment_of(path: str) -> str:
    """The environment that a test file, or a test in it, belongs to: that of the newest versions.

    Raises:
        Failed: No environment runs it.
    """
    file = (ROOT / path.partition("::")[0]).resolve()
    for name, row in ROWS.items():
        if any(file.is_relative_to(ROOT / one) for one in row["tests"]):
            return name
    raise Failed(
        f"{path} is no test file of any environment (tests/environments/environments.json)"
    )


def failures_of(commands: list[tuple[str | Path, ...]]) -> list[str]:
    """Run all commands, even if one fails; return the failures."""
    failures: list[str] = []
    for command in commands:
        try:
            run(*command)
        except Failed as failed:
            failures.append(str(failed))
    return failures


def lock(environments: Environments, only: list[str]) -> None:
    """Resolve the environments again, and write their lock files, without index addresses."""
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    options = ("--universal", "--python-version", "3.10", "--generate-hashes", "--upgrade", "-q")
    silent = ("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links")
    for name in only:
        row = ROWS[name]
        dated: list[str] = []
        if "exclude_newer" in row:
            packages = [*LIFTED, *row.get("lifted", [])]
            lifted = [f"--exclude-newer-package={package}={today}" for package in packages]
            dated = ["--exclude-newer", row["exclude_newer"], *lifted]
        if "overrides" in row:
            dated += ["--override", str(HERE / row["overrides"])]
        source, target = HERE / f"{name}.in", HERE / f"{name}.txt"
        run(environments.uv(), "pip", "compile", *options, *silent, *dated, source, "-o", target)


def perform(
    arguments: argparse.Namespace, environments: Environments, only: list[str], extra: list[str]
) -> None:
    """Execute one command.

    Raises:
        Failed: One step or more did not work.
    """
    failures: list[str] = []
    command: str = arguments.command
    if command == "lock":
        lock(environments, only)
    elif command == "prepare":
        for name in only:
            print(f"environment {name}: {environments.python(name).parent}")
    elif command == "file":
        path, *options = extra
        name = environment_of(path)
        print(f"environment {name}", flush=True)
        become(environments.python(name), "-m", "pytest", "-q", path, *options)
    elif command in SCRIPTS:
        name, script, *others = SCRIPTS[command]
        become(environments.python(name), script, *map(environments.python, others), *extra)
    elif arguments.jobs > 1 and len(only) + len(arguments.also) > 1:
        jobs = jobs_of(command, environments, only, extra, arguments.also)
        failures += Run(list(jobs), OF_ALL).failures(arguments.jobs)
    else:
        if command in ("check", "all"):
            failures += check(environments, only)
        if command in ("test", "all"):
            failures += test(environments, only, extra, arguments.other)
    if failures:
        raise Failed("\n        ".join(failures))


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(description="What does not name an option is pytest's.")
    parser.add_argument("--directory", type=Path, default=ROOT / ".environments")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--only", action="append", choices=list(ROWS), help="an environment")
    parser.add_argument("--jobs", type=int, default=1, help="environments at a time")
    also = "another Python to test on, with --jobs: VERSION=INTERPRETER"
    parser.add_argument("--also", action="append", default=[], help=also)
    parser.add_argument("--other", action="store_true", help="this Python is such another")
    arguments, extra = parser.parse_known_args()
    if sys.version_info < (3, 10):  # noqa: UP036  it may be started by an older one
        print("failed: Python 3.10 or newer is needed: make PYTHON=python3.12 …", file=sys.stderr)
        return 1
    only: list[str] = arguments.only or list(ROWS)
    try:
        environments = Environments(arguments.directory)
        perform(arguments, environments, only, extra)
    except Failed as failed:
        print(f"failed: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # the interrupted command has printed its own message
        return _INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())

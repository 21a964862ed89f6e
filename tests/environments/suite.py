"""Sets up the test environments and runs what belongs to each; what the Makefile calls.

Standard library only: it runs on a machine that has Python 3.10 and pip, and nothing else.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from environments import HERE, ROOT, ROWS, Environments, Failed, become, run

MAIN = "openai3"
LIFTED: list[str] = json.loads((HERE / "lifted.json").read_text("utf-8"))
"""What environments of an earlier date have of today: OpenTelemetry, and what tests with it."""
LAWS: dict[str, list[str]] = json.loads((HERE / "laws.json").read_text("utf-8"))
"""The laws that run on versions other than the newest, by the ends of their test files' names."""
SCRIPTS = {
    "demo": ("demo", "distro/src/otel_agents/distro/demo/__main__.py"),
    "bench": (MAIN, "tests/benchmarks/run.py", "stock", "bench-crewai"),
    "readme": ("demo", "docs/readme.py"),
    "dist": (MAIN, "tests/environments/distributions.py"),
    "load": ("backends", "tests/backends/load.py"),
    "show": ("backends", "tests/backends/show.py"),
}
"""Commands that run one script: its environment, its path, the environments it compares with."""
COMMANDS = ("all", "check", "test", "file", "lock", "prepare", *SCRIPTS)
_INTERRUPTED = 130
_LONGEST = 1800.0
"""Seconds for one environment where several run: three times the slowest of today."""


def supported(name: str) -> bool:
    """Whether an environment can be made for this Python; says so if not."""
    below = ROWS[name].get("python_below")
    if below and sys.version_info[:2] >= tuple(map(int, below.split("."))):
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"environment {name}: its packages are too old for Python {version}: left out")
        return False
    return True


def obtained(name: str) -> bool:
    """Whether what an environment's tests run beside Python is there; says so if not.

    In CI it is obtained now, or waited for where another process is at it.

    Raises:
        Failed: It is not there, and this is CI.
    """
    if not ROWS[name].get("obtains"):
        return True
    script = ROOT / ROWS[name]["obtains"]
    if os.environ.get("CI") == "true":
        subprocess.run([sys.executable, str(script)], stdout=subprocess.DEVNULL, check=False)
    lacking = subprocess.run(
        [sys.executable, str(script), "lacking"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    if lacking and os.environ.get("CI") == "true":
        raise Failed(f"environment {name}: {lacking} not obtained: make backends")
    if lacking:
        print(f"environment {name}: {lacking} not obtained: left out; make backends")
    return not lacking


def typed(name: str) -> list[Path]:
    """The paths whose types are checked: a folder is opened where part of it is for others."""
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
    """Types once per environment over the files that belong to it; beside the main one, style."""
    commands: list[tuple[str | Path, ...]] = []
    for name in only:
        if name == MAIN:
            ruff = (environments.python(name), "-m", "ruff")
            commands += [(*ruff, "format", "--check", "."), (*ruff, "check", ".")]
        if ROWS[name]["types"] and supported(name):
            python = environments.python(name)
            commands.append((python, "-m", "pyright", "--pythonpath", python, *typed(name)))
    return failures_of(commands)


def test(environments: Environments, only: list[str], extra: list[str]) -> list[str]:
    """Every suite in its environment."""
    failures: list[str] = []
    for name in only:
        try:
            runs = bool(paths_tested(name)) and supported(name) and obtained(name)
        except Failed as failed:
            failures.append(str(failed))
            continue
        if runs:
            python = environments.python(name)
            print(f"environment {name}: testing", flush=True)
            options = extra or ROWS[name].get("whole", [])  # what holds of a whole run only
            command = (python, "-m", "pytest", "-q", *paths_tested(name), *options)
            failures += failures_of([command])
    return failures


def paths_tested(name: str) -> list[str]:
    """The test paths of an environment; of a path with laws only the files of these laws."""
    row = ROWS[name]
    paths: list[str] = list(row["tests"])
    for path, laws in row.get("laws", {}).items():
        files = sorted((ROOT / path).rglob("test_*.py"))
        paths += [str(it.relative_to(ROOT)) for it in files if it.stem.endswith(tuple(LAWS[laws]))]
    return paths


def side_by_side(
    command: str, environments: Environments, only: list[str], extra: list[str], jobs: int
) -> list[str]:
    """A process for each environment, ``jobs`` at a time; what one says comes in one piece."""
    environments.uv()  # before they all want it
    running: list[subprocess.Popen[bytes]] = []

    def one(name: str) -> list[str]:
        where = ("--directory", environments.directory, "--only", name)
        with tempfile.TemporaryFile() as said:  # a pipe ends with the last process that has it
            process = subprocess.Popen(
                [sys.executable, __file__, *where, command, *extra],
                env={**os.environ, "PYTEST_ADDOPTS": "-p no:cacheprovider"},  # one folder for all
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            running.append(process)
            failures = ended(process, name)
            said.seek(0)
            sys.stdout.buffer.write(said.read())
            sys.stdout.flush()
        return failures

    with ThreadPoolExecutor(jobs) as pool:
        try:
            return [failure for failures in pool.map(one, only) for failure in failures]
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                end(process, signal.SIGINT)
            raise


def ended(process: subprocess.Popen[bytes], name: str) -> list[str]:
    """Wait for the process of one environment, until it takes too long; the failures."""
    try:
        status = process.wait(_LONGEST)
    except subprocess.TimeoutExpired:
        end(process, signal.SIGKILL)
        return [f"environment {name}: not at its end after {_LONGEST / 60:.0f} minutes: killed"]
    return [f"environment {name}"] if status else []


def end(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal a process and its children, where it runs."""
    if process.poll() is None:
        os.killpg(process.pid, number)
        process.wait()


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
    """Run all commands, whatever becomes of each; the failures."""
    failures: list[str] = []
    for command in commands:
        try:
            run(*command)
        except Failed as failed:
            failures.append(str(failed))
    return failures


def lock(environments: Environments, only: list[str]) -> None:
    """Resolve the environments again, and write their lock files: no address in them."""
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
        source, target = HERE / f"{name}.in", HERE / f"{name}.txt"
        run(environments.uv(), "pip", "compile", *options, *silent, *dated, source, "-o", target)


def perform(
    command: str, environments: Environments, only: list[str], extra: list[str], jobs: int
) -> None:
    """Do what one command says.

    Raises:
        Failed: One step or more did not work.
    """
    failures: list[str] = []
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
    elif jobs > 1 and len(only) > 1:
        failures += side_by_side(command, environments, only, extra, jobs)
    else:
        if command in ("check", "all"):
            failures += check(environments, only)
        if command in ("test", "all"):
            failures += test(environments, only, extra)
    if failures:
        raise Failed("\n        ".join(failures))


def main() -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(description="What does not name an option is pytest's.")
    parser.add_argument("--directory", type=Path, default=ROOT / ".environments")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--only", action="append", choices=list(ROWS), help="an environment")
    parser.add_argument("--jobs", type=int, default=1, help="environments at a time")
    arguments, extra = parser.parse_known_args()
    if sys.version_info < (3, 10):  # noqa: UP036  whoever starts this may have an older one
        print("failed: Python 3.10 or newer is needed: make PYTHON=python3.12 …", file=sys.stderr)
        return 1
    only: list[str] = arguments.only or list(ROWS)
    try:
        environments = Environments(arguments.directory)
        perform(arguments.command, environments, only, extra, arguments.jobs)
    except Failed as failed:
        print(f"failed: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # what it interrupted has said what there is to say
        return _INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Creates the test environments and runs the suites of each, for the Makefile.

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
"""Packages that dated environments have in their newest version: OpenTelemetry and test tools."""
LAWS: dict[str, list[str]] = json.loads((HERE / "laws.json").read_text("utf-8"))
"""The laws that run on versions other than the newest, by the ends of their test files' names."""
SCRIPTS = {
    "demo": ("demo", "distro/src/otel_agents/distro/demo/__main__.py"),
    "bench": (
        MAIN,
        "tests/benchmarks/run.py",
        "stock",
        "bench-crewai",
        "bench-langchain",
        "bench-llama-index",
    ),
    "readme": ("demo", "docs/readme.py"),
    "dist": (MAIN, "tests/environments/distributions.py"),
    "load": ("backends", "tests/backends/load.py"),
    "show": ("backends", "tests/backends/show.py"),
}
"""Commands that run one script: its environment, its path, the environments it compares with."""
COMMANDS = ("all", "check", "test", "file", "lock", "prepare", *SCRIPTS)
_INTERRUPTED = 130
_LONGEST = 1800.0
"""Timeout in seconds for one of several environments: three times the slowest."""


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
    missing = subprocess.run(
        [sys.executable, str(script), "missing"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    if missing and os.environ.get("CI") == "true":
        raise Failed(f"environment {name}: {missing} not obtained: make backends")
    if missing:
        print(f"environment {name}: {missing} not obtained: left out; make backends")
    return not missing


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


def test(environments: Environments, only: list[str], extra: list[str]) -> list[str]:
    """Run each suite in its environment."""
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
            options = extra or ROWS[name].get("whole", [])  # options for a complete run only
            command = (python, "-m", "pytest", "-q", *paths_tested(name), *options)
            failures += failures_of([command])
    return failures


def paths_tested(name: str) -> list[str]:
    """Return the test paths of an environment, and options that leave out files of other laws.

    A file that is named would run although a conftest leaves it out for this version.
    """
    row = ROWS[name]
    paths: list[str] = [*row["tests"], *row.get("laws", {})]
    for path, laws in row.get("laws", {}).items():
        files = sorted((ROOT / path).rglob("test_*.py"))
        others = [file for file in files if not file.stem.endswith(tuple(LAWS[laws]))]
        paths += [f"--ignore={file.relative_to(ROOT)}" for file in others]
    return paths


def side_by_side(
    command: str, environments: Environments, only: list[str], extra: list[str], jobs: int
) -> list[str]:
    """Run a process for each environment, ``jobs`` in parallel; print the output of each at once."""
    environments.uv()  # before all of them need it
    running: list[subprocess.Popen[bytes]] = []

    def one(name: str) -> list[str]:
        where = ("--directory", environments.directory, "--only", name)
        with tempfile.TemporaryFile() as output:  # a pipe would stay open while any child lives
            process = subprocess.Popen(
                [sys.executable, __file__, *where, command, *extra],
                env={**os.environ, "PYTEST_ADDOPTS": "-p no:cacheprovider"},  # one folder for all
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            running.append(process)
            failures = ended(process, name)
            output.seek(0)
            sys.stdout.buffer.write(output.read())
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
    """Wait for the process of one environment, up to the timeout; return the failures."""
    try:
        status = process.wait(_LONGEST)
    except subprocess.TimeoutExpired:
        end(process, signal.SIGKILL)
        return [f"environment {name}: not at its end after {_LONGEST / 60:.0f} minutes: killed"]
    return [f"environment {name}"] if status else []


def end(process: subprocess.Popen[bytes], number: int) -> None:
    """Signal a process and its children, if it runs."""
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
    command: str, environments: Environments, only: list[str], extra: list[str], jobs: int
) -> None:
    """Execute one command.

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
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(description="What does not name an option is pytest's.")
    parser.add_argument("--directory", type=Path, default=ROOT / ".environments")
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--only", action="append", choices=list(ROWS), help="an environment")
    parser.add_argument("--jobs", type=int, default=1, help="environments at a time")
    arguments, extra = parser.parse_known_args()
    if sys.version_info < (3, 10):  # noqa: UP036  it may be started by an older one
        print("failed: Python 3.10 or newer is needed: make PYTHON=python3.12 …", file=sys.stderr)
        return 1
    only: list[str] = arguments.only or list(ROWS)
    try:
        environments = Environments(arguments.directory)
        perform(arguments.command, environments, only, extra, arguments.jobs)
    except Failed as failed:
        print(f"failed: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # the interrupted command has printed its own message
        return _INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs of small programs under ``opentelemetry-instrument``, each in a subprocess."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

__all__ = [
    "DISABLED",
    "INSTALLED",
    "START",
    "Finished",
    "environ",
    "instrumented",
    "plain_environ",
    "running",
    "script",
    "start",
]

DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
INSTALLED = sorted({point.name for point in entry_points(group="opentelemetry_instrumentor")})

START = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"
_SECONDS = 60


@dataclass(frozen=True)
class Finished:
    """A program that ended."""

    out: str
    err: str
    status: int
    seconds: float


def plain_environ(variables: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without OpenTelemetry's and proxy variables, plus ``variables``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "PYTHON")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "PYTHONIOENCODING": "utf-8", **variables}


def environ(variables: Mapping[str, str]) -> dict[str, str]:
    """Return `plain_environ` with all installed instrumentors disabled."""
    disabled = [*INSTALLED, *filter(None, [variables.get(DISABLED)])]
    return {**plain_environ(variables), DISABLED: ",".join(disabled)}


def script(folder: Path, text: str, name: str = "program.py") -> Path:
    """Write a program."""
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def start(
    program: Path,
    variables: Mapping[str, str],
    *,
    instrument: bool = True,
    installed: bool = False,
    arguments: Sequence[str] = (),
    inherit: Sequence[int] = (),
    folder: Path | None = None,
) -> subprocess.Popen[str]:
    """Start ``program`` with pipes as standard input and outputs.

    Args:
        program: The file to run.
        variables: Its environment's, besides this process's.
        instrument: Under ``opentelemetry-instrument``.
        installed: With the instrumentors that are installed here.
        arguments: The program's own.
        inherit: File descriptors that it gets too.
        folder: Where it runs; default is here.
    """
    begin = [sys.executable, "-c", START] if instrument else []
    return subprocess.Popen(
        [*begin, sys.executable, str(program), *arguments],
        env=plain_environ(variables) if installed else environ(variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=tuple(inherit),
        cwd=folder,
        text=True,
        encoding="utf-8",
    )


@contextmanager
def running(
    program: Path, variables: Mapping[str, str], **options: Any
) -> Generator[subprocess.Popen[str], None, None]:
    """Start ``program`` as `start` does, and kill it at the end of the block."""
    with start(program, variables, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def instrumented(
    program: Path, variables: Mapping[str, str], *, seconds: float = _SECONDS, **options: Any
) -> Finished:
    """Run ``program`` to its end, ``seconds`` at most; the other options are those of `start`."""
    began = time.monotonic()
    with running(program, variables, **options) as process:
        out, err = process.communicate(timeout=seconds)
    return Finished(out, err, process.returncode, time.monotonic() - began)

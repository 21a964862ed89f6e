"""A program that receives a signal, with three finished and two open spans."""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from instrumented import running, script

__all__ = ["ENDED", "IN_C", "OPEN", "ended", "line", "program", "run"]

BEGIN = """
    import asyncio, signal, sys, time
    from opentelemetry import trace

    tracer = trace.get_tracer("t")
    for number in range(3):
        tracer.start_span(f"finished {number}").end()
    outer = tracer.start_span("outer")
    inner = tracer.start_span("inner", trace.set_span_in_context(outer))

    def ready():
        print("ready", flush=True)
"""
IN_C = """
import hashlib, threading

clock = time.pthread_getcpuclockid(threading.get_ident())

def when_busy():
    begun = time.clock_gettime(clock)
    while time.clock_gettime(clock) < begun + 0.05:
        time.sleep(0.001)
    ready()

threading.Thread(target=when_busy, daemon=True).start()
hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)
"""
"""Ready once the main thread runs C code, which lets other threads run."""
ENDED = ["finished 0", "finished 1", "finished 2"]
OPEN = ["inner", "outer"]


def program(folder: Path, end: str, begin: str = BEGIN) -> Path:
    path = script(folder, begin)
    path.write_text(path.read_text("utf-8") + end, "utf-8")
    return path


@contextmanager
def run(
    path: Path,
    endpoint: str,
    variables: Mapping[str, str] | None = None,
    *,
    instrument: bool = True,
) -> Generator[subprocess.Popen[str], None, None]:
    """Start it and wait until it prints ``ready``."""
    given = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_AGENTS_EXIT_TIMEOUT": "30",
        "OTEL_AGENTS_SIGNAL_TIMEOUT": "30",  # generous: other tests check how exit is bounded
        **(variables or {}),
    }
    with running(path, given, instrument=instrument) as process:
        assert line(process) == "ready\n"
        yield process


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def ended(process: subprocess.Popen[str], text: str = "") -> tuple[int, str, str]:
    """Return the status, the remaining output, and the errors."""
    out, err = process.communicate(text, timeout=30)
    return process.returncode, out, err

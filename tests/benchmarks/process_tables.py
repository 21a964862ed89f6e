"""The tables of what instrumentation costs a process: its start and end, its memory, its event loop."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any, Final

from measurement import BARE, BY_HAND
from packages import OURS

__all__ = ["HERE", "ends", "figures_of", "process_costs", "starts"]

HERE: Final = Path(__file__).parent
ROUNDS: Final = 9
INSTRUMENT: Final = Path(sys.executable).parent / "opentelemetry-instrument"
EXIT_PROGRAM: Final = """
import logging, time
from opentelemetry import metrics, trace
trace.get_tracer("t").start_span("s").end()
metrics.get_meter("m").create_counter("c").add(1)
logging.getLogger("l").warning("one")
print(time.time(), flush=True)
"""
SIZE_PROGRAM: Final = """
with open("/proc/self/status") as status:  # `ru_maxrss` is at least that of the process that started it
    print(next(line for line in status if line.startswith("VmHWM")).split()[1])
"""


def figures_of(python: Path | str, script: str, *arguments: str) -> Any:
    """Return what a script measured in a process of its own, by variant.

    Raises:
        RuntimeError: It failed; the last line of its output says why.
    """
    command = [str(python), str(HERE / script), *arguments]
    environ = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def process_costs() -> None:
    """Print what the spans of chats of 1 KB with content cost besides the call."""
    found = {name: figures_of(sys.executable, "process_run.py", name) for name in PARTS}
    print("\nA span of a chat of 1 KB with content, after the call\n")
    print(f"{'':44}{'by hand':>9}{'ours':>9}{'ratio':>7}")
    for name, what in (
        ("encoding", "encode it for OTLP: CPU, µs"),
        ("memory", "while it waits: bytes"),
    ):
        figures = found[name]
        hand, ours = figures[BY_HAND], figures[OURS]
        print(f"{what:44}{hand:9.1f}{ours:9.1f}{ours / hand:7.2f}")
    print(f"{'for comparison, json.dumps of its content':44}{found['encoding']['json']:9.1f}")
    print("\n200 tasks of an event loop: calls in a second of its CPU, over those of bare calls\n")
    for name, target in ((BARE, ""), ("no content", 0.9), ("content", 0.9)):
        rate = found["loop"][name]
        print(f"{name:44}{rate:9.2f}{target:>25}")


PARTS: Final = ("encoding", "memory", "loop")


def cpu_of(command: list[str], **environ: str) -> float:
    """Return CPU seconds of a command and its children."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def starts(stock: Path) -> None:
    """Print what the start of an empty program costs; ``stock`` has OpenTelemetry's own distro."""
    print("\nThe start of an empty program, with everything installed\n")
    silent = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    environ = {**silent, "OTEL_LOGS_EXPORTER": "none"}
    off = {**environ, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}
    ours, theirs = (
        [str(python.with_name("opentelemetry-instrument")), str(python)]
        for python in (Path(sys.executable), stock)
    )
    kinds = {
        "all on": (ours, environ),
        "all off": (ours, off),
        "stock distro": (theirs, environ),
        "bare": ([sys.executable], environ),
    }
    rows: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind, (command, variables) in kinds.items():
            rows[kind].append(cpu_of([*command, "-c", "pass"], **variables))
    print(f"{'':24}{'CPU, s':>9}{'all on / it':>13}{'MB':>7}{'target':>8}")
    for kind, (command, variables) in kinds.items():
        pairs = zip(rows["all on"], rows[kind], strict=True)
        ratio = statistics.median(on / other for on, other in pairs)
        size = subprocess.run(
            [*command, "-c", SIZE_PROGRAM],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=True,
        )
        target = 1.1 if kind == "all off" else ""
        cpu, megabytes = statistics.median(rows[kind]), int(size.stdout) / 1024
        print(f"{kind:24}{cpu:9.3f}{ratio:13.2f}{megabytes:7.1f}{target:>8}")


class Hanging(BaseHTTPRequestHandler):
    """Accepts a request and never responds."""

    released = threading.Event()

    def do_POST(self) -> None:
        """Wait."""
        self.released.wait(60)


@contextmanager
def hanging_endpoint() -> Generator[str]:
    """Start a collector that hangs, and yield its endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    Hanging.released.set()
    server.shutdown()


def ends() -> None:
    """Print how long a program's exit takes without a receiver."""
    print("\nExit with one span, one metric and one log each: wall, s (bound 5 s)\n")
    with hanging_endpoint() as hanging:
        for what, endpoint in (("refuses", "http://127.0.0.1:9"), ("hangs", hanging)):
            command = [str(INSTRUMENT), sys.executable, "-c", EXIT_PROGRAM]
            done = subprocess.run(
                command,
                env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint},
                capture_output=True,
                text=True,
                check=False,
            )
            ended = float(done.stdout.split()[-1])
            print(f"{'endpoint ' + what:24}{time.time() - ended:12.2f}")

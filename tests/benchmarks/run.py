"""Runs the benchmarks and prints their tables: ratios in one run, never absolute promises.

``make bench`` calls it with the interpreters of five more environments: one with OpenTelemetry's own
distro, one with CrewAI and OpenLLMetry beside it, and one each with LangGraph, LlamaIndex and DSPy and
other packages that instrument them. ``make bench ARGS=calls`` runs the calls of the OpenAI SDK alone,
``ARGS=crew`` the crew, ``ARGS=graph`` the graph, ``ARGS=workflow`` the workflow of LlamaIndex, ``ARGS=program`` the program of DSPy.
"""

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
from types import MappingProxyType
from typing import Final

from measurement import BY_HAND
from model_call import ROWS

HERE: Final = Path(__file__).parent
ROUNDS: Final = 5
INSTRUMENT: Final = Path(sys.executable).parent / "opentelemetry-instrument"


def measured(python: Path | str, script: str, *arguments: str) -> dict[str, dict[str, float]]:
    """Return what a script measured in a process of its own."""
    command = [str(python), str(HERE / script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def model_calls() -> None:
    """Print the overhead of calls of the OpenAI SDK."""
    print("Calls of the OpenAI SDK: CPU added, µs of the caller; ratios to a span by hand\n")
    print(f"{'':36}{'bare':>8}{'by hand':>9}{'ours':>9}{'ratio':>7}{'process':>9}{'target':>8}")
    for name, row in ROWS.items():
        found = measured(sys.executable, "model_call.py", "ours", name)
        hand, ours = found[BY_HAND], found["ours"]
        ratio, process = (ours[it] / hand[it] for it in ("caller", "process"))
        print(
            f"{row.what:36}{hand['bare']:8.1f}{hand['caller']:9.2f}{ours['caller']:9.2f}"
            f"{ratio:7.2f}{process:9.2f}{row.target or '':>8}"
        )


def cpu_of(command: list[str], **environ: str) -> float:
    """Return CPU seconds of a command and its children."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def start_up(stock: Path) -> None:
    """Print the start-up cost of an empty program; ``stock`` has OpenTelemetry's own distro."""
    print("\nStarting `python -c pass`: CPU, s\n")
    silent = {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    environ = {**silent, "OTEL_LOGS_EXPORTER": "none"}
    off = {**environ, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}
    ours, theirs = (
        [str(python.with_name("opentelemetry-instrument")), str(python), "-c", "pass"]
        for python in (Path(sys.executable), stock)
    )
    rows: dict[str, list[float]] = {"all on": [], "all off": [], "stock distro": []}
    for _ in range(3 * ROUNDS):
        rows["all on"].append(cpu_of(ours, **environ))
        rows["all off"].append(cpu_of(ours, **off))
        rows["stock distro"].append(cpu_of(theirs, **environ))
    for what, seconds in rows.items():
        print(f"{what:24}{statistics.median(seconds):12.3f}")
    for what, target in (("all off", f"{1.1:8.2f}"), ("stock distro", "")):
        pairs = zip(rows["all on"], rows[what], strict=True)
        ratio = statistics.median(on / other for on, other in pairs)
        print(f"{'all on / ' + what:24}{ratio:12.2f}{'':17}{target}")


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


def exits() -> None:
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


CREW_ROUNDS: Final = 3
CREWS: Final = ("none", "ours", "openllmetry", "ours-content", "openllmetry-content")


def crew_runs(python: Path) -> None:
    """Print the overhead of a crew of 100 steps; ``python`` has CrewAI and OpenLLMetry."""
    print("\nA crew of 100 steps: CPU of the process, what a run exports\n")
    print(f"{'':24}{'ms a step':>12}{'over none':>12}{'KB':>8}{'spans':>8}")
    found: dict[str, list[dict[str, float]]] = {variant: [] for variant in CREWS}
    for _ in range(CREW_ROUNDS):
        for variant in CREWS:
            command = [str(python), str(HERE / "crew_run.py"), variant]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found[variant].append(json.loads(done.stdout))
    for variant, runs in found.items():
        step = statistics.median(run["step"] for run in runs) / 1e3
        pairs = zip(runs, found["none"], strict=True)
        ratio = statistics.median(run["step"] / bare["step"] for run, bare in pairs)
        weight, spans = runs[0]["kilobytes"], runs[0]["spans"]
        print(f"{variant:24}{step:12.1f}{ratio:12.2f}{weight:8.0f}{spans:8.0f}")


RUN_TARGET: Final = 1.5
BOTH: Final = ("sync", "async")
RUNS_OF: Final = MappingProxyType(
    {
        "graph": ("A graph of 100 nodes", BOTH, ("ours", "official", "openinference")),
        "workflow": ("A workflow of 100 steps", ("async",), ("ours", "openinference")),
        "program": ("A program of 100 steps", BOTH, ("ours", "openinference")),
    }
)
"""Scripts that measure a run of 100 steps that do nothing, their kinds and packages."""


def step_runs(name: str, python: Path) -> None:
    """Print what instrumentation adds to each of 100 steps; ``python`` has the framework.

    Each package is measured in a process of its own, over the spans by hand in that process.
    """
    what, kinds, packages = RUNS_OF[name]
    print(f"\n{what}: CPU added to each, µs of the caller and of the process\n")
    for kind in kinds:
        print(f"{kind:24}{'caller':>12}{'by hand':>12}{'process':>9}{'spans':>8}{'target':>8}")
        for package in packages:
            run = measured(python, f"{name}_run.py", package, kind)
            if package == packages[0]:
                step_row(BY_HAND, run[BY_HAND], run[BY_HAND])
            step_row(package, run[package], run[BY_HAND])


def step_row(variant: str, run: dict[str, float], hand: dict[str, float]) -> None:
    """Print what one variant adds, as µs and over a span that is written by hand."""
    caller, process = (run[name] / hand[name] for name in ("caller", "process"))
    limit = f"{RUN_TARGET:8.2f}" if variant == "ours" else ""
    spans = run["spans"]
    print(f"{variant:24}{run['caller']:12.1f}{caller:12.2f}{process:9.2f}{spans:8.0f}{limit}")


EXIT_PROGRAM: Final = """
import logging, time
from opentelemetry import metrics, trace
trace.get_tracer("t").start_span("s").end()
metrics.get_meter("m").create_counter("c").add(1)
logging.getLogger("l").warning("one")
print(time.time(), flush=True)
"""


if __name__ == "__main__":
    stock, crewai, langchain, llama_index, dspy, *only = sys.argv[1:]
    if not only:
        start_up(Path(stock))
        exits()
    if not only or "calls" in only:
        model_calls()
    if not only or "crew" in only:
        crew_runs(Path(crewai))
    for name, python in (("graph", langchain), ("workflow", llama_index), ("program", dspy)):
        if not only or name in only:
            step_runs(name, Path(python))

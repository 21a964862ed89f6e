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
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any, Final

from measurement import BY_HAND
from packages import OURS
from process_run import CONTENT, NO_CONTENT
from tables import figure, print_header, print_row

__all__ = ["HERE", "ends", "figures_of", "medians_of", "process_costs", "starts"]

HERE: Final = Path(__file__).parent
ROUNDS: Final = 9
_PROCESSES: Final = 3
_ALL_ON: Final = "`opentelemetry-instrument`, all instrumentors on"
_ALL_OFF: Final = "the same, all of them off"
_ALL: Final = "*"
OTHERS_PROGRAM: Final = """
from importlib.metadata import entry_points
names = [one.name for one in entry_points(group="opentelemetry_instrumentor")]
print(*(name for name in names if not name.startswith("otel_agents_")))
"""
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


def medians_of(python: Path | str, script: str, *arguments: str) -> Any:
    """Return the medians of what a script measured in each of several processes.

    How a process lays out its memory moves all of its figures by a tenth, however long it runs.
    """
    measured = [figures_of(python, script, *arguments) for _ in range(_PROCESSES)]
    return {
        variant: {
            name: statistics.median(one[variant][name] for one in measured) for name in figures
        }
        for variant, figures in measured[0].items()
    }


def process_costs() -> None:
    """Print what the spans of chats of 1 KB with content cost besides the call."""
    encoding, memory, loop, http_loop = (
        figures_of(sys.executable, "process_run.py", name)
        for name in ("encoding", "memory", "loop", "http-loop")
    )
    print_header(
        "a span of a chat of 1 KB with content, after the call", "by hand", "ours", "ratio"
    )
    for what, found, digits in (
        ("encode it for OTLP: CPU, µs", encoding, 1),
        ("memory while it waits for export, bytes", memory, 0),
    ):
        hand, ours = found[BY_HAND], found[OURS]
        print_row([what, figure(hand, digits), figure(ours, digits), figure(ours / hand, 2)])
    dumped = figure(encoding["json"], 1)
    print_row(["for comparison, `json.dumps` of its content: CPU, µs", dumped, "", ""])
    print_header(
        "an event loop with 200 tasks that call a model: throughput by CPU of the loop, over bare",
        *("before", "by hand", "ours", "target"),
    )
    for what, found, name, before in (
        (NO_CONTENT, loop, NO_CONTENT, 0.77),
        (CONTENT, loop, CONTENT, 0.72),
        (f"{NO_CONTENT}, HTTP to a server", http_loop, NO_CONTENT, None),
        (f"{CONTENT}, HTTP to a server", http_loop, CONTENT, None),
    ):
        rates = (before, found[f"{name}, {BY_HAND}"], found[f"{name}, {OURS}"])
        print_row([what, *(figure(rate, 2) for rate in rates), "0.9"])


def cpu_of(command: list[str], **environ: str) -> float:
    """Return CPU seconds of a command and its children."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@dataclass(frozen=True)
class Start:
    """One way to start an empty program.

    Attributes:
        what: Its title.
        python: The interpreter, of its environment.
        is_alone: Whether it is started without OpenTelemetry.
        disabled: The instrumentors that are disabled.
    """

    what: str
    python: Path
    is_alone: bool = False
    disabled: str = ""

    @property
    def command(self) -> list[str]:
        """The interpreter, with what starts it."""
        runner = [] if self.is_alone else [str(self.python.with_name("opentelemetry-instrument"))]
        return [*runner, str(self.python)]

    @property
    def environ(self) -> dict[str, str]:
        """Its variables."""
        exporters = ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER")
        found = dict.fromkeys(exporters, "none")
        return {**found, "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": self.disabled}


def starts(stock: Path, sdks: Path) -> None:
    """Print what the start of an empty program costs.

    Args:
        stock: The interpreter of an environment with OpenTelemetry's own distro.
        sdks: That of one with ours, all model SDKs and the other packages that instrument them.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each start compiles our sources
    python, others = Path(sys.executable), _names_of_others(sdks)
    with_sdks = f"{_ALL_ON}, beside all SDKs"
    groups = (
        [
            Start(_ALL_ON, python),
            Start(_ALL_OFF, python, disabled=_ALL),
            Start("OpenTelemetry's own distro", stock),
            Start("`python` alone", python, is_alone=True),
        ],
        [
            Start(with_sdks, sdks, disabled=",".join(sorted(set(others)))),
            Start(_ALL_OFF, sdks, disabled=_ALL),
            Start(f"{with_sdks} and {len(others)} other instrumentors", sdks),
        ],
    )
    kinds = [*chain.from_iterable(groups)]
    times: dict[Start, list[float]] = {one: [] for one in kinds}
    for _ in range(ROUNDS):
        for one in kinds:
            times[one].append(cpu_of([*one.command, "-c", "pass"], **one.environ))
    print_header("the start of an empty program", "CPU, s", "all on / it", "memory, MB", "target")
    for on, one in ((group[0], one) for group in groups for one in group):
        pairs = zip(times[on], times[one], strict=True)
        ratio = statistics.median(first / other for first, other in pairs)
        cpu, size = statistics.median(times[one]), megabytes_of(one.command, one.environ)
        target = "1.1" if one.disabled == _ALL else ""
        print_row([one.what, figure(cpu, 3), figure(ratio, 2), figure(size, 1), target])


def _names_of_others(python: Path) -> list[str]:
    """Return the names of the instrumentors of other packages."""
    command = [str(python), "-c", OTHERS_PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()


def megabytes_of(command: list[str], variables: dict[str, str]) -> float:
    """Return the most memory that an empty program takes."""
    done = subprocess.run(
        [*command, "-c", SIZE_PROGRAM],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) / 1024


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
    print_header("the exit of a program with a span, a metric and a log", "wall, s", "deadline, s")
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
            ended = time.time() - float(done.stdout.split()[-1])
            print_row([f"the endpoint {what}", figure(ended, 2), "5"])

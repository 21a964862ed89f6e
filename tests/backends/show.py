"""Shows the demo's trace in a backend's page: the backend, a Collector before it, and the demo.

python tests/backends/show.py zipkin    # what `make zipkin` runs; also jaeger, mlflow
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from backends import golden
from backends.collector import Collector
from backends.departing import end_by_unwinding
from backends.jaeger import Jaeger
from backends.mlflow import Mlflow
from backends.obtain import COLLECTOR, JAEGER, ZIPKIN, Component, Failed, keep
from backends.program import wait_for
from backends.zipkin import Zipkin
from crew_trace import CREW

from otel_agents.distro.demo.programs import PROGRAMS

PROGRAM = PROGRAMS["crewai"]
CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
"""The demo's content is public."""


@dataclass(frozen=True)
class Page:
    """A backend that has a page.

    Attributes:
        start: Makes its program.
        components: What must have been obtained.
        trace: The path of a trace's page.
        spans: Reads a trace's spans back.
    """

    start: Callable[[], Any]
    components: tuple[Component, ...]
    trace: str
    spans: Callable[[Any, str], list[Any]]


PAGES: Mapping[str, Page] = {
    "jaeger": Page(Jaeger, (COLLECTOR, JAEGER), "/trace/{}", lambda it, trace: it.spans(trace)),
    "zipkin": Page(
        Zipkin, (COLLECTOR, ZIPKIN), "/zipkin/traces/{}", lambda it, trace: it.spans(trace)
    ),
    "mlflow": Page(
        Mlflow,
        (COLLECTOR,),
        "/#/experiments/0/traces?selectedEvaluationId=tr-{}",
        lambda it, trace: it.trace(trace)["spans"],
    ),
}


def show(name: str, look: Callable[[str], object]) -> None:
    """Start a backend, send the demo's trace to it, and call ``look`` with its address."""
    page = PAGES[name]
    for component in page.components:
        keep(component)
    print(f"starting {name} and a Collector with collector-config/{name}.yaml", flush=True)
    with page.start() as backend, Collector(name, environ=backend.environ) as collector:
        run = golden.run(collector.endpoint, PROGRAM, **CONTENT)
        wait_for(lambda: len(page.spans(backend, run.trace_id)) == len(CREW), "the trace")
        print(f"send your own: OTEL_EXPORTER_OTLP_ENDPOINT={collector.endpoint}", flush=True)
        look(f"{backend.page}{page.trace.format(run.trace_id)}")


def _until_interrupted(address: str) -> None:
    print(f"the trace of {PROGRAM.path.name}: {address}")
    print("Ctrl-C ends it all", flush=True)
    threading.Event().wait()


def main() -> int:
    """Show one until it is interrupted; return the exit status."""
    parser = argparse.ArgumentParser(description="Shows the demo's trace in a backend's page.")
    parser.add_argument("name", choices=list(PAGES))
    name = parser.parse_args().name
    end_by_unwinding()
    try:
        show(name, _until_interrupted)
    except Failed as failed:
        print(f"failed: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())

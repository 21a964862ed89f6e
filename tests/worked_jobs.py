"""Jobs that are a span and a count each, and what arrived of them."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from instrumented import Finished, instrumented, script
from otlp_receiver import Receiver

__all__ = ["PATIENT", "Telemetry", "telemetry"]

WORK = """
    from opentelemetry import metrics, trace

    tracer = trace.get_tracer("t")
    counter = metrics.get_meter("t").create_counter("worked")

    def work(number):
        tracer.start_span(f"work {number}").end()
        counter.add(1)
        return number
"""
PATIENT = "60"
"""Seconds that an end may take; none takes them."""


@dataclass
class Telemetry:
    """What arrived of a program in ``folder``."""

    receiver: Receiver
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.receiver.endpoint,
            "OTEL_AGENTS_EXIT_TIMEOUT": PATIENT,
            "OTEL_BSP_SCHEDULE_DELAY": "3600000",  # nothing is sent but at an end
            "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
            "PYTHONPATH": str(self.folder),
            "PYTHONWARNINGS": "ignore",  # of fork beside threads, from Python 3.12 on
        }

    def run(self, text: str) -> Finished:
        program = script(self.folder, text)
        done = instrumented(program, self.variables)
        assert done.status == 0, done.err
        return done

    def all_arrived(self, numbers: int) -> None:
        """A span of each job, and all of them in the metrics."""
        assert self.receiver.span_names == [f"work {number}" for number in range(numbers)]
        assert sum(self.receiver.totals("worked").values()) == numbers


@pytest.fixture
def telemetry(tmp_path: Path) -> Generator[Telemetry]:
    script(tmp_path, WORK, "jobs.py")
    with Receiver() as receiver:
        yield Telemetry(receiver, tmp_path)

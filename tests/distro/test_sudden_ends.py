"""Ends that cannot be intercepted: what was exported has arrived, what was queued is dropped."""

from __future__ import annotations

import signal
from pathlib import Path

from faults import measured
from instrumented import instrumented, script
from otlp_receiver import Receiver

PROGRAM = """
    import os, signal
    from opentelemetry import trace

    tracer = trace.get_tracer("t")
    for number in range(3):
        tracer.start_span(f"exported {number}").end()
    trace.get_tracer_provider().force_flush()
    for number in range(2):
        tracer.start_span(f"waiting {number}").end()
"""
EXPORTED = ["exported 0", "exported 1", "exported 2"]


def sudden(folder: Path, end: str) -> tuple[int, Receiver]:
    with Receiver() as receiver:
        done = instrumented(
            script(folder, PROGRAM + f"    {end}\n"),
            {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint},
        )
    assert done.err == ""
    return done.status, receiver


def test_os_exit_drops_the_queue(tmp_path: Path) -> None:
    status, receiver = sudden(tmp_path, "os._exit(3)")
    assert (status, receiver.span_names) == (3, EXPORTED)
    measured("os-exit", sent=5, arrived=receiver.unique_spans)


def test_sigkill_drops_the_queue(tmp_path: Path) -> None:
    status, receiver = sudden(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")
    assert (status, receiver.span_names) == (-signal.SIGKILL, EXPORTED)
    measured("sigkill", sent=5, arrived=receiver.unique_spans)

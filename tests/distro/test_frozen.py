"""AWS Lambda: whatever a root span's event has left behind is sent before the process is frozen."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from faults import measured
from instrumented import running, script
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context
from otlp_receiver import Receiver

from otel_agents.distro.ending.freezing import FlushAtRoot

PROGRAM = """
    import os, signal
    from opentelemetry import metrics, trace
    from opentelemetry._logs import LogRecord, get_logger

    tracer = trace.get_tracer("t")
    with tracer.start_as_current_span("root"):
        with tracer.start_as_current_span("child"):
            metrics.get_meter("m").create_counter("counted").add(1)
            get_logger("l").emit(LogRecord(body="said"))
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_all_signals_have_arrived_when_it_stops_after_the_root_span(tmp_path: Path) -> None:
    with Receiver() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "AWS_LAMBDA_FUNCTION_NAME": "planner",
        }
        with running(script(tmp_path, PROGRAM), variables) as process:
            _, status = os.waitpid(process.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            assert os.WSTOPSIG(status) == signal.SIGSTOP
            assert receiver.span_names == ["child", "root"]
            assert receiver.metric_names >= {"counted"}
            assert receiver.log_bodies == ["said"]
            measured("lambda", sent=2, arrived=receiver.unique_spans)


def test_only_roots_flush_and_a_parent_elsewhere_makes_a_root() -> None:
    flushed: list[float] = []
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(FlushAtRoot(lambda seconds: not flushed.append(seconds), 5.0))
    tracer = provider.get_tracer("t")
    remote = NonRecordingSpan(SpanContext(1, 2, True, TraceFlags(1)))
    root = tracer.start_span("root", set_span_in_context(remote))
    tracer.start_span("child", set_span_in_context(root)).end()
    assert flushed == []
    root.end()
    assert flushed == [5.0]


def test_after_a_flush_that_failed_the_next_events_are_not_held_up() -> None:
    flushed: list[float] = []
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(FlushAtRoot(lambda seconds: bool(flushed.append(seconds)), 5.0))
    for _ in range(2):
        provider.get_tracer("t").start_span("root").end()
    assert flushed == [5.0]

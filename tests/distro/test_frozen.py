"""AWS Lambda: an event's telemetry is sent before the process is frozen."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
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


def stopped(tmp_path: Path, receiver: Receiver, program: str) -> None:
    """Run ``program`` until it stops itself."""
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "AWS_LAMBDA_FUNCTION_NAME": "planner",
        "OTEL_AGENTS_EXIT_TIMEOUT": "20",
    }
    with running(script(tmp_path, program), variables) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert os.WSTOPSIG(status) == signal.SIGSTOP


def test_all_signals_have_arrived_when_it_stops_after_the_root_span(tmp_path: Path) -> None:
    with Receiver() as receiver:
        stopped(tmp_path, receiver, PROGRAM)
        assert receiver.span_names == ["child", "root"]
        assert receiver.metric_names >= {"counted"}
        assert receiver.log_bodies == ["said"]
        measured("lambda", sent=2, arrived=receiver.unique_spans)


DROPPED = """
    import os, signal, time
    from opentelemetry import trace
    from opentelemetry.sdk.trace import SpanProcessor
    from otel_agents.instrumentors import Step, Telemetry, wrapped

    class Slow(SpanProcessor):
        def on_end(self, span):
            time.sleep(0.5 if span.name == "first" else 0)

    def items():
        while True:
            yield "item"

    trace.get_tracer_provider().add_span_processor(Slow())
    telemetry = Telemetry("toy")
    with trace.get_tracer("t").start_as_current_span("root"):
        for name in ("first", "second"):
            next(wrapped(items, telemetry, lambda telemetry, call: Step(telemetry, name))())
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_unreferenced_streams_have_arrived_too(tmp_path: Path) -> None:
    """Though another thread finalizes them, which is busy first."""
    with Receiver() as receiver:
        stopped(tmp_path, receiver, DROPPED)
        assert sorted(receiver.span_names) == ["first", "root", "second"]


FAILING = """
    from opentelemetry import trace
    from opentelemetry._logs import get_logger_provider
    from opentelemetry.sdk.trace import SpanProcessor

    class Failing(SpanProcessor):
        def force_flush(self, timeout_millis=0):
            raise ERROR

        on_emit = emit = lambda self, data: None

    for provider, active, processors in (
        (trace.get_tracer_provider(), "_active_span_processor", "_span_processors"),
        (
            get_logger_provider(),
            "_multi_log_record_processor",
            "_log_record_processors",
        ),
    ):
        active = getattr(provider, active)
        setattr(active, processors, (Failing(), *getattr(active, processors)))
"""


@pytest.mark.parametrize("error", ["RuntimeError", "SystemExit"])
def test_a_failing_processor_before_ours_does_not_prevent_the_flush(
    tmp_path: Path, error: str
) -> None:
    with Receiver() as receiver:
        stopped(tmp_path, receiver, FAILING.replace("ERROR", error) + PROGRAM)
        assert receiver.span_names == ["child", "root"]
        assert receiver.log_bodies == ["said"]
        assert len([path for path, _ in receiver.requests if path == "/v1/traces"]) == 1


def test_only_roots_flush_also_those_with_a_remote_parent() -> None:
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


def test_a_span_whose_root_has_ended_flushes_until_the_next_root_of_its_trace_starts() -> None:
    flushed: list[float] = []
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(FlushAtRoot(lambda seconds: not flushed.append(seconds), 5.0))
    tracer = provider.get_tracer("t")
    remote = set_span_in_context(NonRecordingSpan(SpanContext(1, 2, True, TraceFlags(1))))
    first = tracer.start_span("first", remote)
    first.end()
    tracer.start_span("what follows", set_span_in_context(first)).end()
    assert flushed == [5.0, 5.0]
    second = tracer.start_span("second", remote)
    tracer.start_span("child", set_span_in_context(second)).end()
    assert flushed == [5.0, 5.0]


def test_after_a_failed_flush_the_next_events_do_not_wait() -> None:
    flushed: list[float] = []
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(FlushAtRoot(lambda seconds: bool(flushed.append(seconds)), 5.0))
    for _ in range(2):
        provider.get_tracer("t").start_span("root").end()
    assert flushed == [5.0]

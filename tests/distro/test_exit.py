"""Exit: bounded whatever the endpoint does, and nothing is dropped that can be sent."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from faults import measured
from instrumented import Finished, instrumented, running, script, start
from otlp_receiver import Receiver, free_port

EMIT = """
    from opentelemetry import metrics, trace
    from opentelemetry._logs import LogRecord, get_logger

    for number in range(3):
        with trace.get_tracer("t").start_as_current_span(f"work {number}"):
            pass
    metrics.get_meter("m").create_counter("counted").add(1)
    get_logger("l").emit(LogRecord(body="said"))
"""
LAST_LINE = """
    print("the last line", flush=True)
"""
EXIT_TIMEOUT = 1.0
LIMIT = 9.0
"""Seconds of an exit alone: one request without the deadline takes 10, peers take 15 to 30."""


def exiting(program: Path, variables: Mapping[str, str]) -> Finished:
    """Run a program that prints a last line; the seconds are those after it."""
    with running(program, variables) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "the last line\n"
        began = time.monotonic()
        out, err = process.communicate(timeout=60)
    return Finished(out, err, process.returncode, time.monotonic() - began)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_refused_connection_is_one_line_and_the_exit_is_bounded(
    tmp_path: Path, protocol: str
) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    done = exiting(
        script(tmp_path, EMIT + LAST_LINE),
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_AGENTS_EXIT_TIMEOUT": "30",
        },
    )
    assert done.status == 0
    assert done.seconds < 15  # two attempts, and no waiting for the deadline
    assert done.err.splitlines() == [
        (
            f"otel-agents: could not deliver to {endpoint} (connection refused) before exit; dropped: 3 spans, "
            "1 log record and the last metrics; start a Collector or set OTEL_EXPORTER_OTLP_ENDPOINT"
        )
    ]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_hanging_endpoint_is_one_line_and_the_exit_is_bounded(
    tmp_path: Path, protocol: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections succeed, nobody reads
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = exiting(
            script(tmp_path, EMIT + LAST_LINE),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_AGENTS_EXIT_TIMEOUT": str(EXIT_TIMEOUT),
            },
        )
    assert done.status == 0
    assert done.seconds < LIMIT
    assert done.err.splitlines() == [
        (
            f"otel-agents: could not deliver to {endpoint} (timed out) before exit; "
            "dropped: 3 spans, 1 log record and the last metrics; "
            "start a Collector or set OTEL_EXPORTER_OTLP_ENDPOINT"
        )
    ]


def test_processors_of_the_application_share_the_deadline(tmp_path: Path) -> None:
    """A processor that the application added to our provider cannot delay the exit."""
    program = script(
        tmp_path,
        """
        import time
        from opentelemetry import trace
        from opentelemetry.sdk.trace import SpanProcessor

        class Slow(SpanProcessor):
            def shutdown(self):
                time.sleep(60)

        trace.get_tracer_provider().add_span_processor(Slow())
        trace.get_tracer("t").start_span("warm").end()
        trace.get_tracer_provider().force_flush(30000)  # imports the exporter
        trace.get_tracer("t").start_span("work").end()
        print("the last line", flush=True)
        """,
    )
    with Receiver() as receiver:
        done = exiting(
            program,
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_AGENTS_EXIT_TIMEOUT": "3",
            },
        )
    assert (done.status, receiver.span_names) == (0, ["warm", "work"])
    assert done.seconds < LIMIT


def test_spans_that_end_during_exit_arrive(tmp_path: Path) -> None:
    """The first span of a process may end in an exit handler, where no thread can be started."""
    program = script(
        tmp_path,
        """
        import atexit
        from opentelemetry import trace

        atexit.register(lambda: trace.get_tracer("t").start_span("late").end())
        """,
    )
    with Receiver() as receiver:
        done = instrumented(program, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
    assert (done.status, done.err, receiver.span_names) == (0, "", ["late"])


def test_unreferenced_streams_are_finalized_before_exit(tmp_path: Path) -> None:
    program = script(
        tmp_path,
        """
        import threading
        from opentelemetry import trace
        from otel_agents.distro.ending import lifecycle
        from otel_agents.instrumentors._core.calls import finalization

        span, closing = trace.get_tracer("t").start_span("stream"), threading.Event()

        def finish():
            closing.wait(30)
            span.end()

        def notify(timeout, drain=finalization.drain):
            closing.set()
            return drain(timeout)

        finalization.drain = notify
        finalization.started().put(finish)
        lifecycle.current().shutdown()
        """,
    )
    with Receiver() as receiver:
        done = instrumented(program, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
    assert (done.status, done.err, receiver.span_names) == (0, "", ["stream"])


@pytest.mark.parametrize(
    ("ending", "status"), [("pass", 0), ("sys.exit(3)", 3), ("raise SystemError", 1)]
)
def test_every_normal_exit_delivers(tmp_path: Path, ending: str, status: int) -> None:
    program = script(
        tmp_path,
        f"""
        import sys
        from opentelemetry import trace
        from otel_agents.instrumentors._core.calls.streams import StreamProxy
        from otel_agents.instrumentors._core.operations import Inference, InvokeAgent
        from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
        from otel_agents.semconv.values import Operation

        telemetry = Telemetry("t")
        trace.get_tracer("t").start_span("work").end()
        run = InvokeAgent(telemetry, "planner")
        call = Inference(telemetry, Operation.CHAT, "openai", "m", None, parent=run.context)
        unread = StreamProxy(iter("ab"), call)
        {ending}
        """,
    )
    with Receiver() as receiver:
        done = instrumented(program, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
    assert (done.status, receiver.span_names) == (
        status,
        ["chat m", "invoke_agent planner", "work"],
    )
    measured("exit", sent=3, arrived=receiver.unique_spans)


def test_a_forked_child_delivers_its_own_spans_and_no_others(tmp_path: Path) -> None:
    program = script(
        tmp_path,
        """
        import os
        from opentelemetry import trace

        tracer = trace.get_tracer("t")
        tracer.start_span("before").end()
        child = os.fork()
        tracer.start_span("parent" if child else "child").end()
        if child:
            os.waitpid(child, 0)
        """,
    )
    with Receiver() as receiver:
        variables = {
            "PYTHONWARNINGS": "ignore"
        }  # Python 3.12 and later warn of a fork with threads
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
        done = instrumented(program, variables)
    assert (done.status, done.err) == (0, "")
    assert receiver.span_names == ["before", "child", "parent"]


def test_the_queue_is_delivered_when_the_collector_is_back(tmp_path: Path) -> None:
    """It is logged in two lines: one when it is down, one when it is back."""
    program = script(
        tmp_path,
        """
        from opentelemetry import trace

        provider = trace.get_tracer_provider()
        for number in range(5):
            trace.get_tracer("t").start_span(f"kept {number}").end()
        print(provider.force_flush(5000), flush=True)
        input()
        print(provider.force_flush(20000), flush=True)
        """,
    )
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    process = start(
        program, {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_METRICS_EXPORTER": "none"}
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    with Receiver(port) as receiver:
        out, err = process.communicate("\n", timeout=60)
    assert (first, out, process.returncode) == ("False\n", "True\n", 0)
    assert receiver.span_names == [f"kept {number}" for number in range(5)]
    assert err.splitlines() == [
        (
            f"otel-agents: cannot deliver to {endpoint} (connection refused); queued: 5 spans (the "
            "oldest are dropped beyond 64 MiB); start a Collector or set OTEL_EXPORTER_OTLP_ENDPOINT"
        ),
        f"otel-agents: {endpoint} accepts requests again; sending what was queued",
    ]


def test_what_is_rejected_is_logged_once_and_dropped(tmp_path: Path) -> None:
    program = script(
        tmp_path,
        """
        from opentelemetry import trace

        for number in range(3):
            trace.get_tracer("t").start_span("work").end()
            trace.get_tracer_provider().force_flush()
        """,
    )
    with Receiver(status=401) as receiver:
        done = instrumented(program, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
    assert done.err.splitlines() == [
        (
            f"otel-agents: {receiver.endpoint} rejects spans (HTTP 401); "
            "what it rejects is dropped; set OTEL_EXPORTER_OTLP_HEADERS"
        )
    ]


def test_the_applications_own_exporters_still_log(tmp_path: Path) -> None:
    """Only what exporters log during our own exports is replaced by our line."""
    program = script(
        tmp_path,
        """
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        trace.get_tracer("t").start_span("work").end()
        trace.get_tracer_provider().force_flush()
        exporter = OTLPSpanExporter()
        exporter.shutdown()
        exporter.export([])
        """,
    )
    endpoint = f"http://127.0.0.1:{free_port()}"
    done = instrumented(program, {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    assert [line.partition(";")[0] for line in done.err.splitlines()] == [
        f"otel-agents: cannot deliver to {endpoint} (connection refused)",
        "Exporter already shutdown, ignoring batch",
        f"otel-agents: could not deliver to {endpoint} (connection refused) before exit",
    ]


def test_providers_that_the_program_shut_down_log_nothing_at_exit(tmp_path: Path) -> None:
    program = script(
        tmp_path,
        EMIT
        + """
    from opentelemetry._logs import get_logger_provider

    for provider in (
        trace.get_tracer_provider(), metrics.get_meter_provider(), get_logger_provider()
    ):
        provider.shutdown()
    """,
    )
    with Receiver() as receiver:
        done = instrumented(program, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
    assert (done.status, done.err) == (0, "")
    assert receiver.paths == {"/v1/traces", "/v1/metrics", "/v1/logs"}


def test_a_process_that_emits_nothing_imports_no_exporter(tmp_path: Path) -> None:
    program = script(
        tmp_path,
        """
        import sys
        from otel_agents.distro.ending import lifecycle

        def imported():
            print(sorted({"requests", "grpc", "google.protobuf"} & sys.modules.keys()))

        lifecycle.current().shutdown()
        imported()
        """,
    )
    done = instrumented(program, {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"})
    assert (done.status, done.out, done.err) == (0, "[]\n", "")

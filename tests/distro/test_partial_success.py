"""Partial success: rejected items of an accepted request are counted and logged once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from instrumented import instrumented, script
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from otlp_transports import HTTP, RECEIVERS, clear_variables, send_empty, transport_for
from strict_receivers import Refusal, StrictHttp

from otel_agents.distro.environment import SignalName
from otel_agents.distro.otlp.outcome import DELIVERED, Outcome

PROGRAM = """
    from opentelemetry import metrics, trace
    from opentelemetry._logs import LogRecord, get_logger, get_logger_provider

    for _ in range(2):
        for number in range(5):
            trace.get_tracer("t").start_span("work", attributes={"a": "the user is ada"}).end()
        trace.get_tracer_provider().force_flush()
        get_logger("l").emit(LogRecord(body="said"))
        get_logger_provider().force_flush()
    metrics.get_meter("m").create_counter("counted").add(1)
    metrics.get_meter_provider().force_flush()
"""
PARTIAL: dict[SignalName, Any] = {
    "traces": ExportTraceServiceResponse(
        partial_success=ExportTracePartialSuccess(rejected_spans=2, error_message="too old")
    ),
    "logs": ExportLogsServiceResponse(
        partial_success=ExportLogsPartialSuccess(rejected_log_records=2, error_message="too old")
    ),
    "metrics": ExportMetricsServiceResponse(
        partial_success=ExportMetricsPartialSuccess(rejected_data_points=2, error_message="too old")
    ),
}


def warning(text: str) -> bytes:
    totals = ExportTracePartialSuccess(error_message=text)
    return ExportTraceServiceResponse(partial_success=totals).SerializeToString()


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_variables(monkeypatch)


def send_to(
    monkeypatch: pytest.MonkeyPatch, protocol: str, signal: SignalName, **options: Any
) -> Outcome:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret")
    with RECEIVERS[protocol](**options) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        transport = transport_for(signal)
        outcome = send_empty(transport)
        transport.close()
    return outcome


@pytest.mark.parametrize("protocol", RECEIVERS)
@pytest.mark.parametrize("signal", PARTIAL)
def test_rejected_items_are_known(
    protocol: str, signal: SignalName, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = PARTIAL[signal].SerializeToString()
    outcome = send_to(monkeypatch, protocol, signal, accepts=body)
    assert outcome == Outcome(True, rejected=2, message="too old")


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_a_warning_is_known_without_header_values(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = send_to(monkeypatch, protocol, "traces", accepts=warning("s3cret is\nold"))
    assert outcome == Outcome(True, message="… is old")


@pytest.mark.parametrize(
    "response",
    [
        Refusal(200, b"", "application/x-protobuf"),
        Refusal(200, ExportTraceServiceResponse().SerializeToString(), "application/x-protobuf"),
        Refusal(200, b"\xff\xff no protobuf", "application/x-protobuf"),
        Refusal(200, b"\n\x02\x08\x02 no protobuf", "text/plain"),
    ],
    ids=["nothing", "empty", "no protobuf", "text"],
)
def test_other_responses_are_a_success(response: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert send_to(monkeypatch, HTTP, "traces", refusal=response) == DELIVERED


def self_metrics(receiver: Any) -> dict[str, dict[str, int]]:
    """Return the last values of the process's own metrics, by reason."""
    totals: dict[str, dict[str, int]] = {}
    for arrived in receiver.arrived:
        for resource in getattr(arrived.request, "resource_metrics", ()):
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name.startswith("otel_agents."):
                        totals[metric.name.removeprefix("otel_agents.")] = {
                            point.attributes[0].value.string_value: point.as_int
                            for point in metric.sum.data_points
                        }
    return totals


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_rejected_items_are_counted_and_logged_once(protocol: str, tmp_path: Path) -> None:
    """No more than was sent is counted."""
    with RECEIVERS[protocol](accepts=PARTIAL["traces"].SerializeToString()) as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        }
        done = instrumented(script(tmp_path, PROGRAM), variables)
    assert self_metrics(receiver) == {
        "spans.dropped": {"rejected": 4},
        "log_records.dropped": {"rejected": 2},
        "points.dropped": {"rejected": 2},
    }
    assert sorted(done.err.splitlines()) == [
        f"otel-agents: {receiver.endpoint} rejects some {items} (too old); what it rejects "
        "is dropped and counted, and not logged again; see the Collector's log"
        for items in ("log records", "metrics", "spans")
    ]


def test_a_warning_is_logged_once_and_nothing_is_counted(tmp_path: Path) -> None:
    with StrictHttp(accepts=warning("it is large")) as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(script(tmp_path, PROGRAM), variables)
    assert self_metrics(receiver) == {}
    assert sorted(done.err.splitlines()) == [
        f"otel-agents: {receiver.endpoint} accepts {items} with a warning (it is large); "
        "see the Collector's log"
        for items in ("log records", "metrics", "spans")
    ]

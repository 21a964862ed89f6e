"""Large spans over the real exporters: requests are split below what receivers accept."""

from __future__ import annotations

from pathlib import Path

from grpc_receiver import receiving_spans
from instrumented import instrumented, script
from otlp_receiver import Receiver

MIXED = """
    from opentelemetry import trace

    tracer = trace.get_tracer("t")
    for number in range(200):
        tracer.start_span(f"small {number:03}").end()
        if number % 50 == 10:
            tracer.start_span(f"large {number:03}", attributes={"content": "x" * LARGE}).end()
"""
SMALL_NAMES = [f"small {number:03}" for number in range(200)]
LARGE_NAMES = [f"large {number:03}" for number in (10, 60, 110, 160)]


def test_http_receives_all_spans_though_together_they_are_too_large(tmp_path: Path) -> None:
    """Four spans of 5.5 MB in one request would be above the 20 MiB of a Collector."""
    with Receiver(max_bytes=20 * 1024**2) as receiver:
        done = instrumented(
            script(tmp_path, MIXED.replace("LARGE", "5_500_000")),
            {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_AGENTS_EXIT_TIMEOUT": "30"},
        )
    assert (done.status, done.err) == (0, "")
    assert receiver.span_names == LARGE_NAMES + SMALL_NAMES


def test_grpc_receives_all_spans_though_together_they_are_too_large(tmp_path: Path) -> None:
    with receiving_spans(4 * 1024**2) as (endpoint, received):
        done = instrumented(
            script(tmp_path, MIXED.replace("LARGE", "1_500_000")), _over_grpc(endpoint)
        )
    assert (done.status, done.err) == (0, "")
    assert sorted(received) == LARGE_NAMES + SMALL_NAMES


def test_a_span_that_is_too_large_is_dropped_alone(tmp_path: Path) -> None:
    """A gRPC receiver accepts 4 MiB: the SDK's batching drops all 201 spans here."""
    program = MIXED.replace("LARGE", "5_000_000").replace("% 50", "% 200")
    with receiving_spans(4 * 1024**2) as (endpoint, received):
        done = instrumented(script(tmp_path, program), _over_grpc(endpoint))
    assert sorted(received) == SMALL_NAMES
    assert done.err.splitlines() == [
        (
            f"otel-agents: {endpoint} rejects spans "
            "(RESOURCE_EXHAUSTED: Decompressed message larger than max); what it rejects is dropped; raise max_recv_msg_size_mib of its receiver"
        )
    ]


def _over_grpc(endpoint: str) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_AGENTS_EXIT_TIMEOUT": "60",
    }

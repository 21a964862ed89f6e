"""The process's own metrics arrive with its last export, each event counted once."""

from __future__ import annotations

from pathlib import Path

from instrumented import instrumented, script
from otlp_receiver import Receiver, free_port

PROGRAM = """
    from opentelemetry import trace
    from otel_agents.instrumentors._core import errors
    from otel_agents.instrumentors._core.operations import Inference
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
    from otel_agents.semconv.values import Operation

    telemetry, _ = Telemetry("one instrumentor"), Telemetry("another one")
    call = Inference(telemetry, Operation.CHAT, "openai", "m", None)
    call.content.input_messages = [{"role": "user", "content": "x" * 5000}]
    call.end()
    for _ in range(2):
        try:
            raise LookupError
        except LookupError:
            errors.internal_error("testing")
    for number in range(3):
        trace.get_tracer("t").start_span("large", attributes={"content": "x" * 1500}).end()
    trace.get_tracer_provider().force_flush(5000)
"""


def test_drops_truncations_errors_and_failures_arrive_at_exit(tmp_path: Path) -> None:
    """The endpoint refuses spans; the queue holds one large span, so three of four are dropped."""
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, PROGRAM),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{free_port()}/v1/traces",
                "OTEL_AGENTS_QUEUE_MAX_BYTES": "2KiB",
                "OTEL_AGENTS_CONTENT_MAX_BYTES": "200",
                "OTEL_AGENTS_EXIT_TIMEOUT": "30",
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
            },
        )
    assert done.status == 0
    counted = receiver.sums("otel_agents.")
    assert counted.pop("otel_agents.export.failures").keys() == {"traces"}
    assert counted.pop("otel_agents.spans.dropped")["queue_full"] == 3
    assert counted == {
        "otel_agents.content.truncations": {"": 1},
        "otel_agents.errors": {"testing": 2},
    }

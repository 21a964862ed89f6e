"""Under declarative configuration the file rules, and our delivery is put in where it can be."""

from __future__ import annotations

from pathlib import Path

from instrumented import instrumented, script
from otlp_receiver import Receiver, free_port

CONFIGURATION = """
file_format: "1.0"
tracer_provider:
  processors:
    - batch:
        exporter:
          otlp_http:
            endpoint: {endpoint}/v1/traces
"""
WORK = """
    from opentelemetry import trace

    trace.get_tracer("t").start_span("work").end()
"""


def variables(tmp_path: Path, endpoint: str) -> dict[str, str]:
    path = tmp_path / "otel.yaml"
    path.write_text(CONFIGURATION.format(endpoint=endpoint), encoding="utf-8")
    return {"OTEL_CONFIG_FILE": str(path)}


def test_the_file_says_where_and_our_delivery_sends(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(script(tmp_path, WORK), variables(tmp_path, receiver.endpoint))
    assert (done.status, done.err, receiver.span_names) == (0, "", ["work"])


def test_nobody_listening_is_one_line_there_too(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    done = instrumented(script(tmp_path, WORK), variables(tmp_path, endpoint))
    assert done.err.splitlines() == [
        (
            f"otel-agents: could not deliver to {endpoint} (connection refused); lost: 1 span; "
            "start a Collector or set OTEL_EXPORTER_OTLP_ENDPOINT"
        )
    ]


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, WORK),
            {"OTEL_CONFIG_FILE": "/no/such.yaml", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint},
        )
    assert receiver.span_names == ["work"]
    assert done.err.splitlines() == [
        (
            "otel-agents: OTEL_CONFIG_FILE=/no/such.yaml is no file; "
            "the environment's settings are used"
        )
    ]

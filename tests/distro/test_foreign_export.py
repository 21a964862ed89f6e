"""The content of other libraries where it leaves: every exporter, not the application's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from instrumented import instrumented, script
from otlp_receiver import Receiver

CANARY = "canary-7c1f"
EMIT = """
    from opentelemetry import trace
    from opentelemetry._logs import LogRecord, get_logger
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    mine = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(mine))
    canary = "canary-" + "7c1f"
    with trace.get_tracer("agent_framework").start_as_current_span("chat m") as span:
        span.set_attributes({"gen_ai.input.messages": canary, "gen_ai.request.model": "m"})
    with trace.get_tracer("shop").start_as_current_span("order"):
        event = LogRecord(event_name="gen_ai.user.message", body={"content": canary})
        get_logger("gcp.vertex.agent").emit(event)
    found = [canary in str(span.attributes) for span in mine.get_finished_spans()]
    assert found == [True, False], found
"""
FILE = """
file_format: "1.0"
tracer_provider:
  processors:
    - batch: {{exporter: {{otlp_http: {{endpoint: "{endpoint}/v1/traces"}}}}}}
    - simple: {{exporter: {{console: }}}}
logger_provider:
  processors:
    - simple: {{exporter: {{otlp_http: {{endpoint: "{endpoint}/v1/logs"}}}}}}
    - simple: {{exporter: {{console: }}}}
"""


def test_prompts_of_other_libraries_stay_in_the_process(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, EMIT), {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        )
    assert (done.status, done.out, done.err) == (0, "", "")
    assert receiver.span_names == ["chat m", "order"]
    assert sum(path == "/v1/logs" for path, _ in receiver.requests) == 1
    assert CANARY not in str(receiver.requests)


def test_they_leave_where_content_is_enabled(tmp_path: Path) -> None:
    variables = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"}
    with Receiver() as receiver:
        variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.endpoint
        done = instrumented(script(tmp_path, EMIT), variables)
    assert (done.status, done.err) == (0, "")
    assert [CANARY in str(request) for _, request in receiver.requests] == [True, True]


def test_nor_are_they_printed_by_an_exporter_for_the_console(tmp_path: Path) -> None:
    console = {"OTEL_TRACES_EXPORTER": "console,tree", "OTEL_LOGS_EXPORTER": "console"}
    done = instrumented(script(tmp_path, EMIT), {**console, "OTEL_METRICS_EXPORTER": "none"})
    assert done.status == 0
    assert "gen_ai.user.message" in done.out
    assert '"gen_ai.request.model": "m"' in done.out
    assert CANARY not in done.out + done.err


def test_nor_do_they_leave_where_a_file_configures_the_sdk(tmp_path: Path) -> None:
    path = tmp_path / "otel.yaml"
    with Receiver() as receiver:
        path.write_text(FILE.format(endpoint=receiver.endpoint), "utf-8")
        done = instrumented(script(tmp_path, EMIT), {"OTEL_CONFIG_FILE": str(path)})
    assert (done.status, done.err) == (0, "")
    assert receiver.span_names == ["chat m", "order"]
    assert sum(path == "/v1/logs" for path, _ in receiver.requests) == 1
    assert '"gen_ai.request.model": "m"' in done.out
    assert CANARY not in done.out + str(receiver.requests)


@pytest.mark.parametrize("length", [1_000_000])
def test_sizes_are_estimated_after_it(tmp_path: Path, length: int) -> None:
    """A span that would not fit the queue fits without its content."""
    text = f"""
        from opentelemetry import trace

        span = trace.get_tracer("strands.telemetry.tracer").start_span("chat")
        span.set_attribute("gen_ai.input.messages", "x" * {length})
        span.end()
    """
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, text),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_AGENTS_QUEUE_MAX_BYTES": "100KiB",
            },
        )
    assert (done.status, done.err, receiver.span_names) == (0, "", ["chat"])

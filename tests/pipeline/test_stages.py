"""Configuration files that process telemetry, each with a backend."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from backends.application import Application
from backends.collector import CONFIG, Collector, samples
from backends.jaeger import Jaeger
from backends.otlp_file import records, spans
from backends.otlp_json import attributes
from backends.program import wait_for
from opentelemetry._logs import LogRecord
from opentelemetry.trace import StatusCode, format_trace_id

from otel_agents.semconv import attributes as attr
from otel_agents.semconv import events

MESSAGES = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "my secret plan"}]}])
PERSONAL = {
    "mail": "ask ada.lovelace@example.org for it",
    "card": "pay with 4111 1111 1111 1111 now",
    "bank": "to DE89 3704 0044 0532 0130 00 please",
    "telephone": "call +49 (30) 1234 5678 first",
    "address": "from 192.168.17.4 only",
}
ORDINARY = {
    "date": "on 2026-11-26 at 10:15:00",
    "version": "gpt-4o-2024-08-06 and 1.45.2",
    "trace": "0af7651916cd43dd8448eb211c80319c",
    "amount": "123,456.78 and 1000000",
}


def emit(application: Application, known: dict[str, Any]) -> str:
    """Emit a span and an event with these attributes; return the trace id."""
    with application.tracer.start_as_current_span("chat gpt", attributes=known) as span:
        application.logger.emit(LogRecord(body=MESSAGES, attributes=known, event_name="chat"))
    application.flush()
    return format_trace_id(span.get_span_context().trace_id)


def only(read: Callable[[], list[dict[str, Any]]]) -> dict[str, Any]:
    """Wait for the only item, and return its attributes."""
    (found,) = wait_for(read, "one span or record")
    return attributes(found)


def test_content_goes_to_a_file_and_everything_else_gets_none(
    jaeger: Jaeger, tmp_path: Path
) -> None:
    content, logs = tmp_path / "new/content.jsonl", tmp_path / "logs.jsonl"
    environ = {**jaeger.environ, "CONTENT_FILE": str(content), "LOGS_FILE": str(logs)}
    known = {attr.GEN_AI_INPUT_MESSAGES: MESSAGES, attr.GEN_AI_OPERATION_NAME: "chat"}
    stripped = {
        attr.OTEL_AGENTS_CONTENT_DROPPED: [attr.GEN_AI_INPUT_MESSAGES],
        attr.GEN_AI_OPERATION_NAME: "chat",
    }
    with (
        Collector("content-to-file", environ=environ) as collector,
        Application(collector.endpoint) as application,
    ):
        trace_id = emit(application, known)
        assert only(lambda: jaeger.spans(trace_id)) == stripped
        assert only(lambda: records(logs)) == stripped
        assert only(lambda: spans(content)) == known
        assert only(lambda: records(content)) == known
    assert "secret plan" not in logs.read_text("utf-8")
    assert content.parent.stat().st_mode & 0o077 == 0


def test_the_value_of_an_interrupt_goes_with_the_content(jaeger: Jaeger, tmp_path: Path) -> None:
    content, logs = tmp_path / "content.jsonl", tmp_path / "logs.jsonl"
    environ = {**jaeger.environ, "CONTENT_FILE": str(content), "LOGS_FILE": str(logs)}
    interrupt = {attr.OTEL_AGENTS_INTERRUPT_VALUE: "my secret plan, yes or no?"}
    with (
        Collector("content-to-file", environ=environ) as collector,
        Application(collector.endpoint) as application,
    ):
        event = events.OTEL_AGENTS_INTERRUPT.name
        application.logger.emit(LogRecord(attributes=interrupt, event_name=event))
        application.flush()
        assert only(lambda: records(logs)) == {
            attr.OTEL_AGENTS_CONTENT_DROPPED: [attr.OTEL_AGENTS_INTERRUPT_VALUE]
        }
        assert only(lambda: records(content)) == interrupt


def test_the_texts_of_errors_go_with_the_content(jaeger: Jaeger, tmp_path: Path) -> None:
    logs = tmp_path / "logs.jsonl"
    environ = {**jaeger.environ, "CONTENT_FILE": str(tmp_path / "content"), "LOGS_FILE": str(logs)}
    raised = {attr.EXCEPTION_TYPE: "LookupError", attr.EXCEPTION_MESSAGE: "no secret plan"}
    dropped = {attr.OTEL_AGENTS_CONTENT_DROPPED: [attr.EXCEPTION_MESSAGE]}
    with (
        Collector("content-to-file", environ=environ) as collector,
        Application(collector.endpoint) as application,
    ):
        known = {attr.GEN_AI_OPERATION_NAME: "execute_tool"}
        span = application.tracer.start_span("execute_tool find", attributes=known)
        span.add_event("exception", raised)
        span.set_status(StatusCode.ERROR, "no secret plan")
        span.end()
        event = events.GEN_AI_CLIENT_OPERATION_EXCEPTION.name
        application.logger.emit(LogRecord(attributes=raised, event_name=event))
        application.flush()
        trace_id = format_trace_id(span.get_span_context().trace_id)
        (found,) = wait_for(lambda: jaeger.spans(trace_id), "the span")
        record = only(lambda: records(logs))
    assert record == {attr.EXCEPTION_TYPE: "LookupError", **dropped}
    assert attributes(found) == {**known, **dropped}
    assert [attributes(event) for event in found["events"]] == [
        {attr.EXCEPTION_TYPE: "LookupError"}
    ]
    assert "secret plan" not in json.dumps(found)


@pytest.mark.parametrize("key", ["", "pepper"])
def test_personal_data_is_masked_and_ordinary_data_is_not(
    jaeger: Jaeger, tmp_path: Path, key: str
) -> None:
    logs = tmp_path / "logs.jsonl"
    environ = {**jaeger.environ, "LOGS_FILE": str(logs), "REDACTION_KEY": key}
    known = {**PERSONAL, **ORDINARY, "user.id": "ada", "user.email": "ada@example.org"}
    with (
        Collector("redacted", environ=environ) as collector,
        Application(collector.endpoint) as application,
    ):
        trace_id = emit(application, known)
        found = [only(lambda: jaeger.spans(trace_id)), only(lambda: records(logs))]
    users = {"user.id": hashlib.sha256(b"pepperada").hexdigest()} if key else {}
    masked = {
        "mail": "ask **** for it",
        "card": "pay with **** now",
        "bank": "to **** please",
        "telephone": "call **** first",
        "address": "from **** only",
        "redaction.masked.count": 5,
    }
    assert found == [{**masked, **ORDINARY, **users}] * 2


def test_all_signals_pass_an_agent_and_a_gateway(jaeger: Jaeger, tmp_path: Path) -> None:
    logs = tmp_path / "logs.jsonl"
    environ = {
        **jaeger.environ,
        "LOGS_FILE": str(logs),
        "DECISION_WAIT": "1s",
        "SAMPLING_PERCENTAGE": "100",
    }
    known = {attr.GEN_AI_INPUT_MESSAGES: MESSAGES, attr.GEN_AI_OPERATION_NAME: "chat"}
    with (
        Collector("gateway", environ=environ) as gateway,
        Collector("agent", environ={"GATEWAY_ENDPOINT": gateway.otlp_grpc}) as agent,
        Application(agent.endpoint) as application,
    ):
        application.meter.create_counter("calls").add(7)
        trace_id = emit(application, known)
        assert only(lambda: jaeger.spans(trace_id)) == known
        assert only(lambda: records(logs)) == known

        def metrics() -> dict[str, float]:
            given = {name: number for (name, _), number in samples(gateway.metrics()).items()}
            names = ("calls_total", "traces_span_metrics_calls_total")
            found = {name: given.get(name, 0) for name in names}
            return found if all(found.values()) else {}

        found = wait_for(metrics, "both metrics")
    assert found == {"calls_total": 7, "traces_span_metrics_calls_total": 1}


def test_the_quickstart_shows_a_span_in_the_terminal() -> None:
    with Collector("quickstart") as collector, Application(collector.endpoint) as application:
        trace_id = emit(application, {attr.GEN_AI_OPERATION_NAME: "chat"})
        assert wait_for(lambda: trace_id in collector.log, "the trace")
        (line,) = (line for line in collector.log.splitlines() if line.startswith("chat gpt "))
    assert f"{attr.GEN_AI_OPERATION_NAME}=chat" in line


KEYS = {
    "openai": "sk-proj-" + "aB3_" * 10,
    "older": "sk-" + "aB3d" * 12,
    "anthropic": "sk-ant-api03-" + "aB3-" * 10,
    "aws": "AKIA" + "A1B2" * 4,
    "github": "ghp_" + "aB3d" * 9,
    "slack": "xoxb-" + "1234-" * 4,
    "google": "AIza" + "aB3-d" * 7,
    "token": "eyJ" + "aB3d" * 4 + ".eyJ" + "aB3d" * 4 + "." + "aB3d" * 4,
    "header": "Bearer " + "aB3d" * 6,
    "private": "-----BEGIN PRIVATE KEY-----\n" + "aB3d" * 9 + "\n-----END PRIVATE KEY-----",
}
NO_KEYS = {
    "task": "task-management-system-for-small-teams",
    "risk": "risk-assessment-of-the-whole-plan",
    "uuid": "task-0af76519-16cd-43dd-8448-eb211c80319c",
    "bearer": "the bearer of good news",
}


def test_keys_of_every_kind_are_masked_and_words_like_them_are_not(jaeger: Jaeger) -> None:
    with (
        Collector("jaeger", environ=jaeger.environ) as collector,
        Application(collector.endpoint) as application,
    ):
        texts = {name: f"it is {key} they say" for name, key in KEYS.items()}
        arguments = {attr.GEN_AI_TOOL_CALL_ARGUMENTS: json.dumps(texts)}
        trace_id = emit(application, {**texts, **NO_KEYS, **arguments})
        found = only(lambda: jaeger.spans(trace_id))
    masked = dict.fromkeys(KEYS, "it is **** they say")
    assert json.loads(found.pop(attr.GEN_AI_TOOL_CALL_ARGUMENTS)) == masked
    assert found == {**masked, **NO_KEYS, "redaction.masked.count": len(KEYS) + 1}


def test_patterns_that_everything_passes_are_searched_for_by_their_first_letters() -> None:
    common = yaml.safe_load((CONFIG / "common.yaml").read_text("utf-8"))
    patterns: list[str] = common["processors"]["redaction"]["blocked_values"]
    assert [pattern for pattern in patterns if not re.match(r"[\w-]{3}", pattern)] == []

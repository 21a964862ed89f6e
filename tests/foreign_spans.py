"""Spans and log records as other libraries emit them, and what of them leaves the process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span

from otel_agents.distro.foreign.telemetry import ForeignTelemetry
from otel_agents.instrumentors.settings import Settings

__all__ = ["CANARY", "VALUES", "finished", "foreign", "leaving", "record_of"]

CANARY = "canary-7c1f"
_PARTS = [{"type": "text", "content": CANARY}]
_MESSAGES = [{"role": "user", "parts": _PARTS}]
VALUES: Mapping[str, str] = {
    "input_messages": json.dumps(_MESSAGES),
    "output_messages": json.dumps(_MESSAGES),
    "system_instructions": json.dumps(_PARTS),
    **dict.fromkeys(
        ("tool_definitions", "retrieval_documents", "memory_records"),
        json.dumps([{"name": CANARY}]),
    ),
    **dict.fromkeys(("tool_arguments", "tool_result"), json.dumps({"city": CANARY})),
}
"""JSON of each structured kind."""

CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def foreign(capture: str = "NO_CONTENT", **variables: str) -> ForeignTelemetry:
    """Return the pass with these settings."""
    return ForeignTelemetry(Settings.read({CAPTURE: capture, **variables}))


def finished(scope: str, attributes: Mapping[str, Any], **more: Any) -> ReadableSpan:
    """Return a span that ended; ``work`` may change it before."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    work = more.pop("work", None)
    span: Span = provider.get_tracer(scope).start_span(
        more.pop("name", "chat m"), attributes=attributes, **more
    )
    if work is not None:
        work(span)
    span.end()
    return exporter.get_finished_spans()[0]


def record_of(scope: str, **fields: Any) -> Any:
    """Return what the SDK passes to exporters for a log record."""
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger(scope).emit(LogRecord(**fields))
    return exporter.get_finished_logs()[0]


def leaving(item: Any) -> str:
    """Return what is sent of a span or of a log record."""
    encode: Any = encode_spans if isinstance(item, ReadableSpan) else encode_logs
    return str(encode([item]))

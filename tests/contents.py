"""Content as one operation emits it, for tests of the gate."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import LogRecord
from opentelemetry.sdk.trace import TracerProvider

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.gate import Gate

__all__ = ["emitted", "on_event", "on_span", "recorded"]


def recorded() -> Any:
    """Return a span that is recorded."""
    return TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("s")


def emitted(gate: Gate, span: Any, record: LogRecord | None = None, **fields: Any) -> Content:
    """Emit content with ``fields`` on span and record."""
    content = Content(gate.policy, span.is_recording(), record is not None)
    for name, value in fields.items():
        setattr(content, name, value)
    content.emit(span, record)
    return content


def on_span(gate: Gate, **fields: Any) -> dict[str, Any]:
    """Return the attributes of a span with the content ``fields``."""
    span = recorded()
    emitted(gate, span, **fields)
    return dict(span.attributes)


def on_event(gate: Gate, **fields: Any) -> dict[str, Any]:
    """Return the attributes of an event with the content ``fields``, next to a recorded span."""
    record = LogRecord()
    emitted(gate, recorded(), record, **fields)
    return dict(record.attributes or {})

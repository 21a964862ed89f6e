"""Content as one operation tells it, for the tests of the gate."""

from __future__ import annotations

from typing import Any

from opentelemetry._logs import LogRecord
from opentelemetry.sdk.trace import TracerProvider

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.gate import Gate

__all__ = ["on_event", "on_span", "recorded", "told"]


def recorded() -> Any:
    """A span that is recorded."""
    return TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("s")


def told(gate: Gate, span: Any, record: LogRecord | None = None, **fields: Any) -> Content:
    """Content of ``fields``, told on both."""
    content = Content(gate.policy, span.is_recording(), record is not None)
    for name, value in fields.items():
        setattr(content, name, value)
    content.emit(span, record)
    return content


def on_span(gate: Gate, **fields: Any) -> dict[str, Any]:
    """The attributes of a span that carries ``fields``."""
    span = recorded()
    told(gate, span, **fields)
    return dict(span.attributes)


def on_event(gate: Gate, **fields: Any) -> dict[str, Any]:
    """The attributes of an event that carries ``fields``, beside a span that is recorded."""
    record = LogRecord()
    told(gate, recorded(), record, **fields)
    return dict(record.attributes or {})

"""Log records in a form that the installed SDK can export."""

from __future__ import annotations

import inspect
import sys
from functools import lru_cache
from typing import Any, Final

from opentelemetry._logs import Logger, LogRecord, SeverityNumber
from opentelemetry.context import Context, get_current
from opentelemetry.trace import get_current_span

from otel_agents.semconv.events import Event

__all__ = ["exportable", "record_of", "sdk_record"]

_CONVERSION_METHOD: Final = "_from_api_log_record"
_EVENT_NAME: Final = "event.name"
"""The attribute for an event's name."""
# opentelemetry-api < 1.35 has no field for an event's name: it is an attribute there.
# https://github.com/open-telemetry/opentelemetry-python/pull/4652
_HAS_EVENT_NAME: Final = "event_name" in inspect.signature(LogRecord.__init__).parameters
_SPAN: Final = ("trace_id", "span_id", "trace_flags")
_FIELDS: Final = (
    *("timestamp", "observed_timestamp", "severity_text", "body", "attributes"),
    *(("context", "event_name") if _HAS_EVENT_NAME else _SPAN),
)


def record_of(
    event: Event, attributes: dict[str, Any], context: Context, timestamp: int
) -> LogRecord:
    """Return a log record of ``event``, to be emitted; ``timestamp`` in ns since the epoch."""
    severity = event.severity
    common: dict[str, Any] = {
        "timestamp": timestamp,
        "observed_timestamp": timestamp,
        "severity_number": None if severity is None else SeverityNumber(severity),
    }
    if _HAS_EVENT_NAME:
        return LogRecord(**common, context=context, event_name=event.name, attributes=attributes)
    named = {**attributes, _EVENT_NAME: event.name}
    return LogRecord(**common, **_span_of(context), attributes=named)


def _span_of(context: Context) -> dict[str, Any]:
    span = get_current_span(context).get_span_context()
    return {name: getattr(span, name) for name in _SPAN}


def exportable(record: LogRecord, logger: Logger) -> LogRecord:
    """Return ``record`` as ``logger`` can export it."""
    # opentelemetry-sdk <= 1.36 does not convert the API's records: its exporters need fields that
    # only its own class has (resource, dropped_attributes, severity).
    # https://github.com/open-telemetry/opentelemetry-python/pull/4741
    logger = getattr(logger, "_logger", logger)  # behind the API's proxy
    kind = _kind(type(logger))
    return record if kind is None else sdk_record(record, kind, getattr(logger, "resource", None))


def sdk_record(record: LogRecord, kind: Any, resource: Any) -> LogRecord:
    """Return ``record`` as an instance of ``kind``, the SDK's record class."""
    given = {name: getattr(record, name) for name in _FIELDS}
    if not _HAS_EVENT_NAME and given["trace_id"] is None:
        given |= _span_of(get_current())  # later versions do this themselves
    severity = record.severity_number or SeverityNumber.UNSPECIFIED
    return kind(**given, severity_number=severity, resource=resource)


@lru_cache(maxsize=8)
def _kind(logger: type[Logger]) -> Any:
    """Return the SDK's record class if the SDK does not convert records; else None."""
    kind: Any = getattr(sys.modules.get(logger.__module__), "LogRecord", None)
    if not isinstance(kind, type) or kind is LogRecord or hasattr(kind, _CONVERSION_METHOD):
        return None
    return kind if issubclass(kind, LogRecord) else None

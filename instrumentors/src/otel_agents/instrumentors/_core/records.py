"""Log records in the form that the SDK in use can export."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any, Final

from opentelemetry._logs import Logger, LogRecord, SeverityNumber

__all__ = ["completed", "exportable"]

_CONVERTS: Final = "_from_api_log_record"
_FIELDS: Final = (
    *("timestamp", "observed_timestamp", "context"),
    *("severity_text", "body", "attributes", "event_name"),
)


def exportable(record: LogRecord, logger: Logger) -> LogRecord:
    """``record`` as ``logger`` can export it.

    Up to version 1.36 the SDK's exporters need what only a record of its own class has: a resource,
    a count of dropped attributes, a severity. Later ones convert the API's records themselves.
    """
    logger = getattr(logger, "_logger", logger)  # behind the API's proxy
    kind = _kind(type(logger))
    return record if kind is None else completed(record, kind, getattr(logger, "resource", None))


def completed(record: LogRecord, kind: Any, resource: Any) -> LogRecord:
    """``record`` as one of ``kind``, the SDK's class of records."""
    given = {name: getattr(record, name) for name in _FIELDS}
    severity = record.severity_number or SeverityNumber.UNSPECIFIED
    return kind(**given, severity_number=severity, resource=resource)


@lru_cache(maxsize=8)
def _kind(logger: type[Logger]) -> Any:
    """The SDK's class of records, where it does not convert; None elsewhere."""
    kind: Any = getattr(sys.modules.get(logger.__module__), "LogRecord", None)
    if not isinstance(kind, type) or kind is LogRecord or hasattr(kind, _CONVERTS):
        return None
    return kind if issubclass(kind, LogRecord) else None

"""Captures OpenTelemetry's own log records about what we log in one line.

Exporters log each batch, each retry and each attribute; `export.status` logs the same once. The
parser of a configuration file logs a traceback, the parser of headers a secret. A filter captures
the records, and only inside `captured_logs`: the application's own exporters still log.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["ENCODER_LOGGER", "captured_logs"]

ENCODER_LOGGER: Final = "opentelemetry.exporter.otlp.proto.common._internal"
"""Logs each attribute that it drops, with the attribute's value."""
_LOGGERS: Final = (
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.common.http",
    ENCODER_LOGGER,
    "opentelemetry.util.re",
    "opentelemetry.configuration.file._loader",
)


_captured: Final[ContextVar[list[logging.LogRecord] | None]] = ContextVar(
    "otel_agents_overheard", default=None
)


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        records = _captured.get()
        if records is None:
            return True
        records.append(record)
        return False


_filter = _Filter()


@functools.lru_cache(maxsize=1)
def _loggers() -> tuple[logging.Logger, ...]:
    """Return the loggers, cached: `logging.getLogger` takes the lock of all `logging`."""
    return tuple(logging.getLogger(name) for name in _LOGGERS)


@contextmanager
def captured_logs() -> Generator[list[logging.LogRecord], None, None]:
    """Yield a list that collects the exporters' log records instead of passing them on."""
    for logger in _loggers():
        filters = logger.filters
        if _filter not in filters:
            # First in the list: exporters have a filter that hides repeated records, and the
            # reason of a failure is read from them.
            filters.insert(0, _filter)
    records: list[logging.LogRecord] = []
    _captured.set(records)
    try:
        yield records
    finally:
        _captured.set(None)

"""What OpenTelemetry says itself of what we say in one line: heard, and not repeated to the user.

Exporters speak once per batch and retry, and of each attribute; `outage` says the same once. The
reader of a configuration file gives a traceback, that of headers a secret. A filter is used and no
level, and only where it is at it, so what the application set up keeps its voice.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

__all__ = ["ENCODER", "overheard"]

ENCODER: Final = "opentelemetry.exporter.otlp.proto.common._internal"
"""Tells of each attribute that it leaves out, with the attribute's value."""
_LOGGERS: Final = (
    "opentelemetry.exporter.otlp.proto.grpc.exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.common.http",
    ENCODER,
    "opentelemetry.util.re",
    "opentelemetry.configuration.file._loader",
)


_heard: Final[ContextVar[list[logging.LogRecord] | None]] = ContextVar(
    "otel_agents_overheard", default=None
)


class _Filter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        records = _heard.get()
        if records is None:
            return True
        records.append(record)
        return False


_filter = _Filter()


@functools.lru_cache(maxsize=1)
def _loggers() -> tuple[logging.Logger, ...]:
    """Asked for once, not for each request: that takes the lock which all of `logging` shares."""
    return tuple(logging.getLogger(name) for name in _LOGGERS)


@contextmanager
def overheard() -> Generator[list[logging.LogRecord], None, None]:
    """Collect what the exporters say here meanwhile, instead of passing it on."""
    for logger in _loggers():
        filters = logger.filters
        if _filter not in filters:
            # First: a filter of the exporter's own hides what it said a moment ago, and the
            # reason of a failure is read from it.
            filters.insert(0, _filter)
    records: list[logging.LogRecord] = []
    _heard.set(records)
    try:
        yield records
    finally:
        _heard.set(None)

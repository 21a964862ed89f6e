"""The log record processor over a `Delivery`."""

from __future__ import annotations

import copy
from typing import Any, cast

from opentelemetry._logs import get_logger_provider
from opentelemetry.context import Context
from opentelemetry.sdk import _logs
from opentelemetry.sdk._logs import LogRecordProcessor

from otel_agents.distro.export.delivery import Delivery
from otel_agents.distro.export.spans import end_delivery
from otel_agents.instrumentors.hosting import guarded, notice_fork, sdk_record

__all__ = ["DeliveringLogProcessor"]

# From 1.39 on exporters take a readable copy of the record; before, the record as it is.
_Readable: Any = getattr(_logs, "ReadableLogRecord", None)


class DeliveringLogProcessor(LogRecordProcessor):
    """Hands log records to a delivery; see `DeliveringSpanProcessor`."""

    def __init__(self, delivery: Delivery[Any], exit_timeout: float) -> None:
        self.delivery = delivery
        self._exit_timeout = exit_timeout

    @guarded("taking a log record")
    def on_emit(self, log_record: Any) -> None:
        """Take a record."""
        notice_fork()
        self.delivery.put(_complete(log_record) if _Readable is None else _readable(log_record))

    emit = on_emit  # its name before 1.35

    @guarded("ending the log records")
    def shutdown(self) -> None:
        """Deliver what waits within the exit's time-out; then nothing is taken any more."""
        end_delivery(self.delivery, self._exit_timeout)

    @guarded("flushing log records", False)
    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Deliver what waits; False where that took more than ``timeout_millis``."""
        return self.delivery.flush(timeout_millis / 1000)


def _readable(data: Any) -> Any:
    record = copy.copy(data.log_record)
    record.context = Context()  # it may hold the whole request of a server
    return _Readable(
        log_record=record,
        resource=data.resource,
        instrumentation_scope=data.instrumentation_scope,
        limits=data.limits,
    )


def _complete(data: Any) -> Any:
    """For SDKs whose exporters cannot encode a record of the API: the SDK's own."""
    record, sdk = data.log_record, cast(Any, _logs)
    if isinstance(record, sdk.LogRecord):
        return data
    resource = getattr(get_logger_provider(), "resource", None)
    complete: Any = sdk_record(record, sdk.LogRecord, resource)
    complete.context = None
    return sdk.LogData(complete, data.instrumentation_scope)

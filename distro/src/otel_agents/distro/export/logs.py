"""The log record processors: one over a `Delivery`, and one that sets the identity."""

from __future__ import annotations

import copy
from typing import Any, cast

from opentelemetry._logs import get_logger_provider
from opentelemetry.context import Context
from opentelemetry.sdk import _logs
from opentelemetry.sdk._logs import LogRecordProcessor

from otel_agents.distro.export.delivery import Delivery
from otel_agents.distro.export.spans import end_delivery
from otel_agents.instrumentors.hosting import guarded, identity_of, notice_fork, sdk_record

__all__ = ["DeliveringLogProcessor", "IdentityLogProcessor"]

# Since opentelemetry-sdk 1.39 exporters take a ReadableLogRecord; before, the record itself.
# https://github.com/open-telemetry/opentelemetry-python/pull/4676
_ReadableLogRecord: Any = getattr(_logs, "ReadableLogRecord", None)


class DeliveringLogProcessor(LogRecordProcessor):
    """Pass log records to a delivery; see `DeliveringSpanProcessor`."""

    def __init__(self, delivery: Delivery[Any], exit_timeout: float) -> None:
        self.delivery = delivery
        self._exit_timeout = exit_timeout

    @guarded("taking a log record")
    def on_emit(self, log_record: Any) -> None:
        """Queue a record."""
        notice_fork()
        self.delivery.put(
            _sdk_record(log_record) if _ReadableLogRecord is None else _readable_record(log_record)
        )

    # The method's name before opentelemetry-sdk 1.35:
    # https://github.com/open-telemetry/opentelemetry-python/pull/4648
    emit = on_emit

    @guarded("ending the log records")
    def shutdown(self) -> None:
        """Deliver what is queued within the exit timeout; later records are dropped."""
        end_delivery(self.delivery, self._exit_timeout)

    @guarded("flushing log records", False)
    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Deliver what is queued; return False if that takes more than ``timeout_millis``."""
        return self.delivery.flush(timeout_millis / 1000)


class IdentityLogProcessor(LogRecordProcessor):
    """Set who the work is done for: on the application's log records, and on our events."""

    @guarded("identifying a log record")
    def on_emit(self, log_record: Any) -> None:
        """Add the attributes that a record does not have."""
        record = log_record.log_record
        found = identity_of(getattr(record, "context", None) or None)
        if found:
            record.attributes = {**found, **(record.attributes or {})}

    emit = on_emit

    def shutdown(self) -> None:
        """Do nothing: nothing is kept here."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Return True: nothing is queued here."""
        return True


def _readable_record(data: Any) -> Any:
    record = copy.copy(data.log_record)
    record.context = Context()  # it may keep a whole server request alive
    return _ReadableLogRecord(
        log_record=record,
        resource=data.resource,
        instrumentation_scope=data.instrumentation_scope,
        limits=data.limits,
    )


def _sdk_record(data: Any) -> Any:
    """Return the SDK's own record, for SDKs whose exporters cannot encode a record of the API."""
    record, sdk = data.log_record, cast(Any, _logs)
    if isinstance(record, sdk.LogRecord):
        return data
    resource = getattr(get_logger_provider(), "resource", None)
    complete: Any = sdk_record(record, sdk.LogRecord, resource)
    complete.context = None
    return sdk.LogData(complete, data.instrumentation_scope)

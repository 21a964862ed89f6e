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
from otel_agents.distro.foreign.telemetry import ForeignTelemetry
from otel_agents.instrumentors.hosting import guarded, identity_of, notice_fork, sdk_record

__all__ = ["DeliveringLogProcessor", "ForeignLogProcessor", "IdentityLogProcessor"]

# Since opentelemetry-sdk 1.39 exporters take a ReadableLogRecord; before, the record itself.
# https://github.com/open-telemetry/opentelemetry-python/pull/4676
_ReadableLogRecord: Any = getattr(_logs, "ReadableLogRecord", None)


class DeliveringLogProcessor(LogRecordProcessor):
    """Pass log records to a delivery; see `DeliveringSpanProcessor`."""

    def __init__(
        self, delivery: Delivery[Any], foreign: ForeignTelemetry, exit_timeout: float
    ) -> None:
        self.delivery = delivery
        self._foreign = foreign
        self._exit_timeout = exit_timeout

    @guarded("taking a log record")
    def on_emit(self, log_record: Any) -> None:
        """Queue a record."""
        notice_fork()
        record = self._foreign.record(log_record.log_record, log_record.instrumentation_scope)
        convert = _sdk_record if _ReadableLogRecord is None else _readable_record
        self.delivery.put(convert(log_record, record))

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


class ForeignLogProcessor(LogRecordProcessor):
    """Pass log records to another processor, those of other libraries as they may leave.

    Args:
        processor: The processor.
        foreign: Applies the content settings.
    """

    def __init__(self, processor: LogRecordProcessor, foreign: ForeignTelemetry) -> None:
        self.processor = processor
        self._foreign = foreign

    @guarded("passing a log record on")
    def on_emit(self, log_record: Any) -> None:
        """Call the processor with the record as it may leave."""
        given = log_record.log_record
        record = self._foreign.record(given, log_record.instrumentation_scope)
        if record is not given:
            log_record = copy.copy(log_record)
            log_record.log_record = record
        self.processor.on_emit(log_record)

    emit = on_emit

    def shutdown(self) -> None:
        """Call the processor."""
        self.processor.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Call the processor."""
        return self.processor.force_flush(timeout_millis)


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


def _readable_record(data: Any, record: Any) -> Any:
    record = copy.copy(record)
    record.context = Context()  # it may keep a whole server request alive
    return _ReadableLogRecord(
        log_record=record,
        resource=data.resource,
        instrumentation_scope=data.instrumentation_scope,
        limits=data.limits,
    )


def _sdk_record(data: Any, record: Any) -> Any:
    """Return the SDK's own record, for SDKs whose exporters cannot encode a record of the API."""
    sdk = cast(Any, _logs)
    if isinstance(record, sdk.LogRecord):
        unchanged = record is data.log_record
        return data if unchanged else sdk.LogData(record, data.instrumentation_scope)
    resource = getattr(get_logger_provider(), "resource", None)
    complete: Any = sdk_record(record, sdk.LogRecord, resource)
    complete.context = None
    return sdk.LogData(complete, data.instrumentation_scope)

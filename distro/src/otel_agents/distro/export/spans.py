"""The span processor over a `Delivery`, and the transport over exporters other than OTLP."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_agents.distro.export.delivery import Delivery
from otel_agents.distro.foreign.telemetry import ForeignTelemetry
from otel_agents.distro.otlp.outcome import DELIVERED, Outcome
from otel_agents.instrumentors.hosting import guarded, notice_fork

__all__ = ["DeliveringSpanProcessor", "ExporterTransport", "ForeignSpanProcessor"]


class DeliveringSpanProcessor(SpanProcessor):
    """Pass finished spans to a delivery.

    Args:
        delivery: Queues and sends them.
        foreign: Applies the content settings to those of other libraries.
        exit_timeout: Seconds that `shutdown` may take when the lifecycle does not call it.
    """

    def __init__(
        self, delivery: Delivery[ReadableSpan], foreign: ForeignTelemetry, exit_timeout: float
    ) -> None:
        self.delivery = delivery
        self._foreign = foreign
        self._exit_timeout = exit_timeout

    @guarded("starting the thread that exports")
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Start the exporting thread early: while the interpreter exits, none can be started."""
        notice_fork()
        self.delivery.start()

    @guarded("taking a span")
    def on_end(self, span: ReadableSpan) -> None:
        """Queue a span if it is sampled."""
        if span.context is not None and span.context.trace_flags.sampled:
            self.delivery.put(self._foreign.span(span))

    @guarded("ending the spans")
    def shutdown(self) -> None:
        """Deliver what is queued within the exit timeout; later spans are dropped."""
        end_delivery(self.delivery, self._exit_timeout)

    @guarded("flushing spans", False)
    def force_flush(self, timeout_millis: int | None = 30000) -> bool:
        """Deliver what is queued; return False if that takes more than ``timeout_millis``."""
        return self.delivery.flush((30000 if timeout_millis is None else timeout_millis) / 1000)


class ForeignSpanProcessor(SpanProcessor):
    """Pass spans to another processor, those of other libraries as they may leave the process.

    Args:
        processor: The processor.
        foreign: Applies the content settings.
    """

    def __init__(self, processor: SpanProcessor, foreign: ForeignTelemetry) -> None:
        self.processor = processor
        self._foreign = foreign

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Call the processor."""
        self.processor.on_start(span, parent_context)

    @guarded("passing a span on")
    def on_end(self, span: ReadableSpan) -> None:
        """Call the processor with the span as it may leave."""
        self.processor.on_end(self._foreign.span(span))

    def shutdown(self) -> None:
        """Call the processor."""
        self.processor.shutdown()

    def force_flush(self, timeout_millis: int | None = 30000) -> bool:
        """Call the processor."""
        return self.processor.force_flush(30000 if timeout_millis is None else timeout_millis)


def end_delivery(delivery: Delivery[Any], timeout: float) -> None:
    """Close ``delivery`` on its own thread; wait at most ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    delivery.submit(lambda: delivery.close(deadline)).wait(deadline)


class ExporterTransport:
    """Wrap any exporter of spans or log records; none of its failures counts as retryable."""

    max_request_bytes = 15 * 1024**2

    def __init__(self, name: str, exporter: Any) -> None:
        self.endpoint = f"the exporter {name}"
        self._exporter = exporter

    def send(self, items: Any, timeout: float) -> Outcome:
        """Export ``items``."""
        with suppress_instrumentation():
            try:
                result = self._exporter.export(items)
            except Exception as error:  # noqa: BLE001  a third-party exporter may raise anything
                return Outcome(False, False, type(error).__name__)
        delivered = getattr(result, "name", "SUCCESS") == "SUCCESS"
        return DELIVERED if delivered else Outcome(False, False, "the exporter failed")

    def renew(self) -> None:
        """Do nothing: how to create another exporter is not known."""

    def close(self) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown()

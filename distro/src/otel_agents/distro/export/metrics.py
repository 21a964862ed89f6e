"""The metric exporter over an `OtlpTransport`, which logs each problem once."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from otel_agents.distro.environment import Environment
from otel_agents.distro.export.points import filter_points
from otel_agents.distro.export.status import EndpointStatus
from otel_agents.distro.otlp.outcome import Outcome
from otel_agents.distro.otlp.transport import OtlpTransport
from otel_agents.instrumentors.hosting import call_foreign, guarded, renew_after_fork, system

__all__ = ["DESTINATION", "DeferredMetricExporter", "Destination"]

_PREFERENCES = (
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
)
_DELAY_AT_EXIT = 0.5


@dataclass(frozen=True)
class Destination:
    """Where metrics go; ``on_exporter`` gets the exporter, which the SDK creates and hides."""

    transport: OtlpTransport
    status: EndpointStatus
    environment: Environment
    on_exporter: Callable[[DeferredMetricExporter], object]


# opentelemetry-sdk before 1.35 passes an exporter no arguments:
# https://github.com/open-telemetry/opentelemetry-python/pull/4659
DESTINATION: Final[ContextVar[Destination]] = ContextVar("otel_agents-metrics-destination")
"""For the exporter that is being created."""


class DeferredMetricExporter(MetricExporter):
    """Export metrics by OTLP; `EndpointStatus` logs an endpoint that does not respond, once.

    Nothing is queued: the next collection has the sums again.
    """

    def __init__(self) -> None:
        destination = DESTINATION.get()
        transport = destination.transport
        preferences: dict[str, Any] = {}
        if (
            destination.environment.text(*_PREFERENCES) is not None
        ):  # only OpenTelemetry's exporter reads these
            preferences = {
                "preferred_temporality": transport.exporter._preferred_temporality,
                "preferred_aggregation": transport.exporter._preferred_aggregation,
            }
        super().__init__(**preferences)
        self.deadline: float | None = None
        """Set when the process exits (`time.monotonic`): what fails then is dropped."""
        self.failures = 0
        self.unencodable = 0
        """Points that could not be encoded; each export counts them again."""
        self.rejected = 0
        """Points that the receiver rejected in accepted requests; each export counts them again."""
        self.sending = False
        self.status = destination.status
        self._transport = transport
        renew_after_fork(self.renew)
        destination.on_exporter(self)

    @guarded("exporting metrics", MetricExportResult.FAILURE)
    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any
    ) -> MetricExportResult:
        """Send the collected points that can be encoded."""
        self.sending = True
        try:
            filtered = filter_points(metrics_data)
            if filtered.points:
                self.unencodable += filtered.points
                self.status.unencodable(
                    "points", f"the metric {filtered.metric!a}", filtered.reason
                )
            sent = not filtered or self._send(filtered.data, timeout_millis / 1000)
            return MetricExportResult.SUCCESS if sent else MetricExportResult.FAILURE
        finally:
            self.sending = False

    def _send(self, metrics_data: MetricsData, timeout: float) -> bool:
        while True:
            seconds = timeout
            if self.deadline is not None:
                seconds = min(seconds, max(self.deadline - time.monotonic(), 0.1))
            outcome = self._transport.send(metrics_data, seconds)
            if outcome.delivered:
                self.status.delivered("metrics")
                self.rejected += outcome.rejected
                self.status.partially_accepted("metrics", outcome)
                if outcome.unencoded_attribute:
                    self.status.attribute_dropped("metrics", outcome.unencoded_attribute)
                return True
            if not self._failed(outcome):
                return False
            system.pause(_DELAY_AT_EXIT)

    def _failed(self, outcome: Outcome) -> bool:
        """Log a failure. Return whether to retry now."""
        self.failures += 1
        if outcome.unencodable:
            self.status.unencodable("metrics", "this process", outcome.reason)
            return False
        if not outcome.retryable:
            self.status.rejected("metrics", outcome)
            return False
        self.status.failed("metrics", outcome)
        return self._may_retry()

    def _may_retry(self) -> bool:
        """At exit, retry an endpoint that responded before; else wait for the next interval."""
        if self.deadline is None:
            return False
        left = self.deadline - time.monotonic() > _DELAY_AT_EXIT
        if not (left and self.status.reached):
            self.status.undelivered_metrics = True
            return False
        return True

    @guarded("flushing metrics", True)
    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Do nothing: no metrics are queued here."""
        return True

    def renew(self) -> None:
        """Reset counts and connections in a forked child: they belong to the parent."""
        self.failures = self.unencodable = self.rejected = 0
        self.sending = False
        self.deadline = None
        self.status.renew()
        call_foreign("renewing the exporter of metrics", self._transport.renew, None)

    @guarded("ending the metrics")
    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Shut the exporter down, unless it is sending: older exporters would wait for that."""
        if not self.sending:
            call_foreign("shutting down the exporter of metrics", self._transport.close, None)

"""The metric exporter over an `OtlpTransport`: made when it is first needed, and never twice heard."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from otel_agents.distro.environment import Environment
from otel_agents.distro.export.outage import Place
from otel_agents.distro.export.points import sift
from otel_agents.distro.otlp.outcome import Outcome
from otel_agents.distro.otlp.transport import OtlpTransport
from otel_agents.instrumentors.hosting import attempt, guarded, renew_after_fork, system

__all__ = ["DESTINATION", "DeferredMetricExporter", "Destination"]

_PREFERENCES = (
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
)
_PAUSE_AT_EXIT = 0.5


@dataclass(frozen=True)
class Destination:
    """Where metrics go; ``made`` is given the new exporter, since the SDK makes it and hides it."""

    transport: OtlpTransport
    place: Place
    environment: Environment
    made: Callable[[DeferredMetricExporter], object]


DESTINATION: Final[ContextVar[Destination]] = ContextVar("otel_agents-metrics-destination")
"""Of the exporter that is made now: versions of the SDK before 1.35 make it without arguments."""


class DeferredMetricExporter(MetricExporter):
    """Exports metrics by OTLP; an endpoint that does not answer is told once by its place.

    Nothing is kept: the next collection has the sums again.
    """

    def __init__(self) -> None:
        destination = DESTINATION.get()
        transport = destination.transport
        preferences: dict[str, Any] = {}
        if destination.environment.text(*_PREFERENCES) is not None:  # only the exporter reads these
            preferences = {
                "preferred_temporality": transport.exporter._preferred_temporality,
                "preferred_aggregation": transport.exporter._preferred_aggregation,
            }
        super().__init__(**preferences)
        self.deadline: float | None = None
        """Set when the process ends (`time.monotonic`): what fails then is lost."""
        self.failures = 0
        self.left_out = 0
        """Points that could not be encoded, in each export again."""
        self.rejected = 0
        """Points of accepted requests that the receiver did not take, in each export again."""
        self.sending = False
        self.place = destination.place
        self._transport = transport
        renew_after_fork(self.renew)
        destination.made(self)

    @guarded("exporting metrics", MetricExportResult.FAILURE)
    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_: Any
    ) -> MetricExportResult:
        """Send what was collected and can be encoded."""
        self.sending = True
        try:
            sifted = sift(metrics_data)
            if sifted.points:
                self.left_out += sifted.points
                self.place.unencodable("points", f"the metric {sifted.metric!a}", sifted.why)
            sent = not sifted or self._send(sifted.data, timeout_millis / 1000)
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
                self.place.delivered("metrics")
                self.rejected += outcome.rejected
                self.place.accepted_in_part("metrics", outcome)
                if outcome.left_out:
                    self.place.left_out("metrics", outcome.left_out)
                return True
            if not self._failed(outcome):
                return False
            system.pause(_PAUSE_AT_EXIT)

    def _failed(self, outcome: Outcome) -> bool:
        """Tell of a failure; whether it is tried again at once."""
        self.failures += 1
        if outcome.unencodable:
            self.place.unencodable("metrics", "this process", outcome.reason)
            return False
        if not outcome.retryable:
            self.place.rejected("metrics", outcome)
            return False
        self.place.failed("metrics", outcome)
        return self._may_retry()

    def _may_retry(self) -> bool:
        """At exit an endpoint that answered before may come back; else the next interval serves."""
        if self.deadline is None:
            return False
        left = self.deadline - time.monotonic() > _PAUSE_AT_EXIT
        if not (left and self.place.reached):
            self.place.lost_metrics = True
            return False
        return True

    @guarded("flushing metrics", True)
    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is kept here."""
        return True

    def renew(self) -> None:
        """In a forked child: connections and what was counted are the parent's."""
        self.failures = self.left_out = self.rejected = 0
        self.sending = False
        self.deadline = None
        self.place.renew()
        attempt("renewing the exporter of metrics", self._transport.renew, None)

    @guarded("ending the metrics")
    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Shut the exporter down; not while it sends, for which older ones would wait."""
        if not self.sending:
            attempt("shutting down the exporter of metrics", self._transport.close, None)

"""What the export tells about itself, as metrics: dropped spans and failed requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from otel_agents.distro.export.delivery import Delivery
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.metrics import (
    OTEL_AGENTS_EXPORT_FAILURES,
    OTEL_AGENTS_SPANS_DROPPED,
    Metric,
)

__all__ = ["measure"]


def measure(
    meter: Meter,
    spans: Iterable[Delivery[object]],
    failures: Mapping[str, Callable[[], int]],
) -> None:
    """Observe the deliveries of spans and the failed requests of each signal.

    Nothing is reported before something was lost: a process without losses sends no metric for it.
    """
    deliveries = tuple(spans)

    def dropped(_: CallbackOptions) -> list[Observation]:
        return [
            Observation(number, {attr.OTEL_AGENTS_REASON: reason})
            for delivery in deliveries
            for reason, number in list(delivery.losses.dropped.items())
        ]

    def failed(_: CallbackOptions) -> list[Observation]:
        counts = ((signal, count()) for signal, count in failures.items())
        return [
            Observation(number, {attr.OTEL_AGENTS_SIGNAL: signal})
            for signal, number in counts
            if number
        ]

    _observe(meter, OTEL_AGENTS_SPANS_DROPPED, dropped)
    _observe(meter, OTEL_AGENTS_EXPORT_FAILURES, failed)


def _observe(
    meter: Meter, metric: Metric, callback: Callable[[CallbackOptions], list[Observation]]
) -> None:
    meter.create_observable_counter(
        metric.name, [callback], unit=metric.unit, description=metric.description
    )

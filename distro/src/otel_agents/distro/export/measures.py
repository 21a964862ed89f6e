"""Metrics about the export itself: dropped items and failed requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from otel_agents.instrumentors.hosting import guarded
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.metrics import (
    OTEL_AGENTS_EXPORT_FAILURES,
    OTEL_AGENTS_LOG_RECORDS_DROPPED,
    OTEL_AGENTS_POINTS_DROPPED,
    OTEL_AGENTS_SPANS_DROPPED,
    Metric,
)

__all__ = ["Counts", "measure"]

Counts = Callable[[], Iterator[tuple[str, int]]]
"""Yields a number for each reason or signal."""

_DROPPED: Final = MappingProxyType(
    {
        "spans": OTEL_AGENTS_SPANS_DROPPED,
        "log records": OTEL_AGENTS_LOG_RECORDS_DROPPED,
        "points": OTEL_AGENTS_POINTS_DROPPED,
    }
)


def measure(meter: Meter, dropped: Mapping[str, Counts], failures: Counts) -> None:
    """Create the observable counters of dropped items (by reason) and failed requests (by signal).

    They report nothing while all is zero: a process that drops nothing sends no metric for it.

    Args:
        meter: Creates the instruments.
        dropped: Drops of ``spans``, ``log records`` and ``points``.
        failures: Failed requests.
    """
    for items, counts in dropped.items():
        _observe(meter, _DROPPED[items], attr.OTEL_AGENTS_REASON, counts)
    _observe(meter, OTEL_AGENTS_EXPORT_FAILURES, attr.OTEL_AGENTS_SIGNAL, failures)


def _observe(meter: Meter, metric: Metric, name: str, counts: Counts) -> None:
    @guarded(f"observing {metric.name}", ())
    def observed(_: CallbackOptions) -> list[Observation]:
        return [Observation(number, {name: value}) for value, number in counts() if number]

    meter.create_observable_counter(
        metric.name, [observed], unit=metric.unit, description=metric.description
    )

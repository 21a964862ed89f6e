"""The rules for metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_agents.semconv.groups import CHOSEN
from otel_agents.semconv.metrics import METRICS, Metric
from otel_agents.semconv.registry import NAMESPACES

from ._attributes import check_attributes
from ._finding import Finding


def check_metric(metric: Any) -> list[Finding]:
    """Return the findings of one metric with its data points, without repeats."""
    name = str(metric.name)
    if not name.startswith(NAMESPACES):
        return []
    declared = METRICS.get(name)
    if declared is None:
        return [Finding("metric_unknown", name, "not in the tables")]
    points = list(metric.data.data_points)
    found = list(_check_kind(metric, declared, points))
    allowed = declared.attributes
    if declared.unit in ("s", "{token}", "{USD}"):
        allowed = {**CHOSEN, **allowed}
    for point in points:
        if dict(point.attributes) == {"otel.metric.overflow": True}:
            continue  # the SDK's overflow point, beyond its cardinality limit
        found += check_attributes(name, point.attributes, allowed, structured=False)
    return list(dict.fromkeys(found))


def _check_kind(metric: Any, declared: Metric, points: list[Any]) -> Iterator[Finding]:
    if metric.unit != declared.unit:
        yield Finding("metric_unit", metric.name, f"{metric.unit!r}")
    histogram = all(hasattr(point, "bucket_counts") for point in points)
    counter = getattr(metric.data, "is_monotonic", False) is True
    if not (histogram if declared.instrument == "histogram" else counter):
        yield Finding("metric_instrument", metric.name, type(metric.data).__name__)
        return
    for point in points:
        bounds = tuple(getattr(point, "explicit_bounds", declared.buckets))
        if bounds != declared.buckets:
            yield Finding("metric_buckets", metric.name, str(bounds))

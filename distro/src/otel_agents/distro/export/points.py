"""Filters collected metrics: one point that OTLP cannot encode must not fail the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry.sdk.metrics.export import (
    Metric,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_agents.distro.otlp.encoding import attribute_error, why_unencodable
from otel_agents.distro.otlp.exporter_logs import captured_logs

__all__ = ["FilteredMetrics", "filter_points"]


@dataclass
class FilteredMetrics:
    """Collected metrics without the points that cannot be encoded."""

    data: MetricsData
    points: int = 0
    """How many were dropped."""
    metric: str = ""
    """Name of the metric of the last dropped point."""
    reason: str = ""

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return bool(self.data.resource_metrics)


def filter_points(data: MetricsData) -> FilteredMetrics:
    """Drop the points that cannot be encoded.

    A point with one attribute that cannot be encoded is dropped whole: without the attribute it
    would be another time series. From resources and scopes the exporter drops single attributes.
    """
    if not _problem(data):
        return FilteredMetrics(data)
    filtered = FilteredMetrics(data)
    resources = (
        replace(resource, scope_metrics=list(_scopes(resource, filtered)))
        for resource in data.resource_metrics
    )
    filtered.data = MetricsData([resource for resource in resources if resource.scope_metrics])
    return filtered


def _scopes(resource: ResourceMetrics, filtered: FilteredMetrics) -> Iterator[ScopeMetrics]:
    for scope in resource.scope_metrics:
        known = scope.scope
        bare = InstrumentationScope(known.name, known.version, known.schema_url)
        metrics = [
            _filtered(metric, replace(scope, scope=bare), filtered) for metric in scope.metrics
        ]
        metrics = [metric for metric in metrics if metric.data.data_points]
        if metrics:
            yield replace(scope, metrics=metrics)


def _filtered(metric: Metric, scope: ScopeMetrics, filtered: FilteredMetrics) -> Metric:
    points: list[Any] = []
    for point in metric.data.data_points:
        alone = _with_points(metric, [point])
        scopes = [replace(scope, metrics=[alone])]
        reason = _problem(MetricsData([ResourceMetrics(Resource.get_empty(), scopes, "")]))
        if reason:
            filtered.points += 1
            filtered.metric, filtered.reason = metric.name, reason
        else:
            points.append(point)
    return _with_points(metric, points)


def _with_points(metric: Metric, points: list[Any]) -> Metric:
    return replace(metric, data=replace(metric.data, data_points=points))


def _problem(data: MetricsData) -> str:
    """Return why ``data`` cannot be encoded, empty if it can."""
    # As slow to import as an exporter, which has imported it by the time something is sent.
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

    with captured_logs() as logged:
        try:
            encode_metrics(data)
        except Exception as error:  # noqa: BLE001  what it raises depends on the value
            return why_unencodable(error)
    error = attribute_error(logged)
    return why_unencodable(error) if error is not None else ""

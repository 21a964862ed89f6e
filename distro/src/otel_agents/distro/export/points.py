"""The points of a collection that OTLP can hold: one that it cannot takes no other with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_agents.distro.otlp.encoding import error_of_left_out, why_unencodable
from otel_agents.distro.otlp.silence import overheard

__all__ = ["Sifted", "sift"]


@dataclass
class Sifted:
    """A collection without the points that cannot be encoded."""

    data: MetricsData
    points: int = 0
    """How many were left out."""
    metric: str = ""
    """That the last of them was of."""
    why: str = ""

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return bool(self.data.resource_metrics)


def sift(data: MetricsData) -> Sifted:
    """Leave out what cannot be encoded.

    A point of which only an attribute cannot be encoded goes too: without it, it would be another
    one. Of a resource or a scope the exporter leaves attributes out.
    """
    if not _problem(data):
        return Sifted(data)
    sifted = Sifted(data)
    resources = (
        replace(resource, scope_metrics=list(_scopes(resource, sifted)))
        for resource in data.resource_metrics
    )
    sifted.data = MetricsData([resource for resource in resources if resource.scope_metrics])
    return sifted


def _scopes(resource: ResourceMetrics, sifted: Sifted) -> Iterator[ScopeMetrics]:
    for scope in resource.scope_metrics:
        known = scope.scope
        bare = InstrumentationScope(known.name, known.version, known.schema_url)
        metrics = [_sifted(metric, replace(scope, scope=bare), sifted) for metric in scope.metrics]
        metrics = [metric for metric in metrics if metric.data.data_points]
        if metrics:
            yield replace(scope, metrics=metrics)


def _sifted(metric: Any, scope: ScopeMetrics, sifted: Sifted) -> Any:
    points: list[Any] = []
    for point in metric.data.data_points:
        alone = _of(metric, [point])
        scopes = [replace(scope, metrics=[alone])]
        why = _problem(MetricsData([ResourceMetrics(Resource.get_empty(), scopes, "")]))
        if why:
            sifted.points += 1
            sifted.metric, sifted.why = metric.name, why
        else:
            points.append(point)
    return _of(metric, points)


def _of(metric: Any, points: list[Any]) -> Any:
    return replace(metric, data=replace(metric.data, data_points=points))


def _problem(data: MetricsData) -> str:
    """Why ``data`` cannot be encoded as it is; empty where it can."""
    # Costs as much as an exporter, which has imported it where something is sent.
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

    with overheard() as said:
        try:
            encode_metrics(data)
        except Exception as error:  # noqa: BLE001  what it raises depends on the value
            return why_unencodable(error)
    error = error_of_left_out(said)
    return why_unencodable(error) if error is not None else ""

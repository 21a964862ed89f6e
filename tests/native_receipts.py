"""What a receiver got of model calls: the tokens of each span, and what is in a metric."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from native_programs import operations
from otlp_receiver import Receiver

__all__ = ["recorded", "tokens"]

_INFERENCES = ("chat", "generate_content")


def tokens(receiver: Receiver) -> Iterator[tuple[int, int]]:
    """Yield those of each span of a model call."""
    for name, span in operations(receiver):
        if name in _INFERENCES:
            of = {pair.key: pair.value.int_value for pair in span.attributes}
            yield of.get("gen_ai.usage.input_tokens", 0), of.get("gen_ai.usage.output_tokens", 0)


def recorded(receiver: Receiver, metric: str, token_type: str | None = None) -> tuple[Any, int]:
    """Return sum and number of what was recorded in a metric."""
    points = [
        point
        for path, request in receiver.requests
        if path == "/v1/metrics"
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for one in scope.metrics
        if one.name == f"gen_ai.client.{metric}"
        for point in one.histogram.data_points
        if token_type in {None, *(pair.value.string_value for pair in point.attributes)}
    ]
    return sum(point.sum for point in points), sum(point.count for point in points)

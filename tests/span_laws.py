"""What every SDK's span of a model call must be, and the metrics of the same call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.trace import SpanKind, StatusCode

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Usage

__all__ = [
    "check_latest_metrics",
    "check_previous_metrics",
    "check_span",
    "check_streamed_span",
]

_ON_POINTS = {
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "server.address",
    "server.port",
    "openai.response.service_tier",
    "openai.response.system_fingerprint",
}
"""The attributes of a span that its metric points have too."""


def check_span(emission: Emission, name: str, attributes: Mapping[str, Any]) -> None:
    """Check that the only span is a root of kind CLIENT, without an error, events or links."""
    span = emission.span
    assert (span.name, span.kind, span.parent) == (name, SpanKind.CLIENT, None)
    assert (span.status.status_code, span.events, span.links) == (StatusCode.UNSET, (), ())
    assert dict(span.attributes or {}) == attributes
    assert emission.events == []


def check_streamed_span(emission: Emission, attributes: Mapping[str, Any]) -> None:
    """Check that the only span has ``attributes``, those of a stream, and no error."""
    span = emission.span
    found: dict[str, Any] = dict(span.attributes or {})
    first_chunk = found.pop("gen_ai.response.time_to_first_chunk")
    assert isinstance(first_chunk, float)
    assert 0 < first_chunk < 60
    assert found == {**attributes, "gen_ai.request.stream": True}
    assert (span.status.status_code, span.events) == (StatusCode.UNSET, ())


def check_previous_metrics(emission: Emission, attributes: Mapping[str, Any], usage: Usage) -> None:
    """Check the points of the only span, which has ``attributes``."""
    common = {name: value for name, value in attributes.items() if name in _ON_POINTS}
    span = emission.span
    seconds = ((span.end_time or 0) - (span.start_time or 0)) / 1e9
    assert emission.points() == {
        "gen_ai.client.operation.duration": [(common, seconds)],
        "gen_ai.client.token.usage": [
            ({**common, "gen_ai.token.type": "input"}, usage.input_tokens),
            ({**common, "gen_ai.token.type": "output"}, usage.output_tokens),
        ],
    }


def check_latest_metrics(emission: Emission, usage: Usage) -> None:
    """Check the sums of all points, for calls that used ``usage``."""
    sums = {name: sum(value for _, value in some) for name, some in emission.points().items()}
    assert sums.pop("gen_ai.client.inference.duration") > 0
    inference = "gen_ai.client.inference"
    expected = {
        f"{inference}.operation.input_tokens": usage.input_tokens,
        f"{inference}.operation.output_tokens": usage.output_tokens,
        f"{inference}.usage.input_tokens": usage.input_tokens,
        f"{inference}.usage.output_tokens": usage.output_tokens,
        f"{inference}.usage.cache_read.input_tokens": usage.cached_tokens,
        f"{inference}.usage.cache_write.input_tokens": usage.cache_write_tokens,
        f"{inference}.usage.reasoning.output_tokens": usage.reasoning_tokens,
    }
    assert sums == {name: tokens for name, tokens in expected.items() if tokens}

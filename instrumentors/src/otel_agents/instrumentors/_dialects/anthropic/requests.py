"""Attributes of a request, from the body that is sent."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_agents.instrumentors._dialects.fields import Body, as_mapping, numbers
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import OutputType

__all__ = ["request_attributes"]

_NUMBERS: Final = (
    ("max_tokens", attr.GEN_AI_REQUEST_MAX_TOKENS, int),
    ("max_tokens_to_sample", attr.GEN_AI_REQUEST_MAX_TOKENS, int),
    ("temperature", attr.GEN_AI_REQUEST_TEMPERATURE, float),
    ("top_p", attr.GEN_AI_REQUEST_TOP_P, float),
    ("top_k", attr.GEN_AI_REQUEST_TOP_K, int),
)


def request_attributes(body: Body) -> dict[str, Any]:
    """Return the request attributes of messages and of legacy completions."""
    attributes = numbers(body, _NUMBERS)
    stops = body.get("stop_sequences")
    if isinstance(stops, (list, tuple)) and stops:
        attributes[attr.GEN_AI_REQUEST_STOP_SEQUENCES] = tuple(map(str, cast("list[Any]", stops)))
    if body.get("stream") is True:
        attributes[attr.GEN_AI_REQUEST_STREAM] = True
    if not _NESTED.isdisjoint(body):
        attributes.update(_nested(body))
    return attributes


_NESTED: Final = frozenset(("output_config", "output_format", "thread"))


def _nested(body: Body) -> dict[str, Any]:
    config = as_mapping(body.get("output_config"))
    # `output_format` is the beta's older name.
    format_ = as_mapping(config.get("format")) or as_mapping(body.get("output_format"))
    previous = as_mapping(body.get("thread")).get("previous_message_id")
    attributes: dict[str, Any] = {}
    if format_.get("type") == "json_schema":
        attributes[attr.GEN_AI_OUTPUT_TYPE] = OutputType.JSON.value
    for name, value in (
        (attr.GEN_AI_REQUEST_REASONING_LEVEL, config.get("effort")),
        (attr.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID, previous),
    ):
        if isinstance(value, str):
            attributes[name] = value
    return attributes

"""Attributes of Mistral's requests, from the body that is sent or the arguments it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._dialects.fields import Body, field, fields_of, known_numbers, text
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import OutputType

__all__ = [
    "conversation_attributes",
    "embeddings_attributes",
    "inference_attributes",
    "no_attributes",
]

_NUMBERS: Final[Mapping[str, tuple[str, type[int | float]]]] = MappingProxyType(
    {
        "temperature": (attr.GEN_AI_REQUEST_TEMPERATURE, float),
        "top_p": (attr.GEN_AI_REQUEST_TOP_P, float),
        "top_k": (attr.GEN_AI_REQUEST_TOP_K, int),
        "frequency_penalty": (attr.GEN_AI_REQUEST_FREQUENCY_PENALTY, float),
        "presence_penalty": (attr.GEN_AI_REQUEST_PRESENCE_PENALTY, float),
        "random_seed": (attr.GEN_AI_REQUEST_SEED, int),
        "max_tokens": (attr.GEN_AI_REQUEST_MAX_TOKENS, int),
    }
)
_SHAPED: Final = frozenset(("stop", "reasoning_effort", "response_format"))
_OUTPUT_TYPES: Final = MappingProxyType(
    {
        "text": OutputType.TEXT.value,
        "json_object": OutputType.JSON.value,
        "json_schema": OutputType.JSON.value,
    }
)


def inference_attributes(body: Body) -> dict[str, Any]:
    """Return the request attributes of chat, agents and fill-in-the-middle."""
    attributes = _sampling(body)
    choices = body.get("n")
    if isinstance(choices, int) and choices != 1:
        attributes[attr.GEN_AI_REQUEST_CHOICE_COUNT] = choices
    if body.get("stream") is True:
        attributes[attr.GEN_AI_REQUEST_STREAM] = True
    return attributes


def no_attributes(body: Body) -> dict[str, Any]:
    """Return no attributes, for an API without settings."""
    return {}


def _sampling(holder: Any) -> dict[str, Any]:
    """Return what a chat has in its body, and a conversation in its ``completion_args``."""
    attributes, is_shaped = known_numbers(fields_of(holder), _NUMBERS, _SHAPED)
    if is_shaped:
        attributes.update(_shaped(holder))
    return attributes


def _shaped(holder: Any) -> dict[str, Any]:
    """Return the attributes of `_SHAPED`."""
    attributes: dict[str, Any] = {}
    stop = field(holder, "stop")
    if isinstance(stop, str):
        attributes[attr.GEN_AI_REQUEST_STOP_SEQUENCES] = (stop,)
    elif isinstance(stop, (list, tuple)):
        attributes[attr.GEN_AI_REQUEST_STOP_SEQUENCES] = tuple(map(str, cast("list[Any]", stop)))
    effort = text(holder, "reasoning_effort")
    if effort is not None:
        attributes[attr.GEN_AI_REQUEST_REASONING_LEVEL] = effort
    output_type = _OUTPUT_TYPES.get(text(field(holder, "response_format"), "type") or "")
    if output_type is not None:
        attributes[attr.GEN_AI_OUTPUT_TYPE] = output_type
    return attributes


def conversation_attributes(body: Body) -> dict[str, Any]:
    """Return the request attributes of a conversation."""
    attributes = _sampling(body.get("completion_args"))
    if body.get("stream") is True:
        attributes[attr.GEN_AI_REQUEST_STREAM] = True
    conversation = text(body, "conversation_id")
    if conversation is not None:
        attributes[attr.GEN_AI_CONVERSATION_ID] = conversation
    return attributes


def embeddings_attributes(body: Body) -> dict[str, Any]:
    """Return the request attributes of embeddings."""
    attributes: dict[str, Any] = {}
    dimensions = body.get("output_dimension")
    if isinstance(dimensions, int):
        attributes[attr.GEN_AI_EMBEDDINGS_DIMENSION_COUNT] = dimensions
    encoding = text(body, "encoding_format")
    if encoding is not None:
        attributes[attr.GEN_AI_REQUEST_ENCODING_FORMATS] = (encoding,)
    return attributes

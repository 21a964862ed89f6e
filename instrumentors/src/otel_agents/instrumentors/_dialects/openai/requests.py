"""Attributes of a request, from the body that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._dialects.fields import MOST, Body, as_mapping, as_number
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import OutputType

__all__ = ["embeddings_attributes", "inference_attributes"]

_LIMIT: Final = float(MOST)  # for floats: to compare one with an integer takes five times as long
_NUMBERS: Final = MappingProxyType[str, tuple[str, type[int | float], float]](
    {
        "temperature": (attr.GEN_AI_REQUEST_TEMPERATURE, float, _LIMIT),
        "top_p": (attr.GEN_AI_REQUEST_TOP_P, float, _LIMIT),
        "frequency_penalty": (attr.GEN_AI_REQUEST_FREQUENCY_PENALTY, float, _LIMIT),
        "presence_penalty": (attr.GEN_AI_REQUEST_PRESENCE_PENALTY, float, _LIMIT),
        "seed": (attr.GEN_AI_REQUEST_SEED, int, MOST),
        "top_k": (attr.GEN_AI_REQUEST_TOP_K, int, MOST),
        "max_tokens": (attr.GEN_AI_REQUEST_MAX_TOKENS, int, MOST),
        "max_completion_tokens": (attr.GEN_AI_REQUEST_MAX_TOKENS, int, MOST),
        "max_output_tokens": (attr.GEN_AI_REQUEST_MAX_TOKENS, int, MOST),
    }
)
_number_of: Final = {**_NUMBERS}.get  # a proxy's own `get` takes twice as long
_TEXTS: Final = (
    ("reasoning_effort", attr.GEN_AI_REQUEST_REASONING_LEVEL),
    ("previous_response_id", attr.GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID),
)
_NONE: Final = MappingProxyType[str, Any]({})
_OLDER_LIMIT: Final = "max_tokens"
"""The older name of a limit: the newer ones win."""
_OUTPUT_TYPES: Final = MappingProxyType(
    {
        "text": OutputType.TEXT.value,
        "json_object": OutputType.JSON.value,
        "json_schema": OutputType.JSON.value,
    }
)


def inference_attributes(body: Body, known: Mapping[str, Any] = _NONE) -> dict[str, Any]:
    """Return the request attributes of chat, completions and responses; ``known`` among them."""
    # A hot path: a body has few of the fields that it may have, so it is read, not the table.
    attributes = {**known}
    has_others = False
    for key, value in body.items():
        row = _number_of(key)
        if row is None:
            has_others = has_others or key in _OTHERS
            continue
        name, kind, limit = row
        plain = type(value) is kind and -limit <= value < limit
        number = value if plain else as_number(value, kind)
        if number is not None and not (key == _OLDER_LIMIT and name in attributes):
            attributes[name] = number
    if has_others:
        attributes.update(_shaped(body))
    return attributes


def _shaped(body: Body) -> dict[str, Any]:
    """Return the attributes that are texts, renamed, or recorded under a condition."""
    attributes: dict[str, Any] = {}
    for key, name in _TEXTS:
        value = body.get(key)
        if isinstance(value, str):
            attributes[name] = value
    stop = body.get("stop")
    if isinstance(stop, str):
        attributes[attr.GEN_AI_REQUEST_STOP_SEQUENCES] = (stop,)
    elif isinstance(stop, (list, tuple)):
        attributes[attr.GEN_AI_REQUEST_STOP_SEQUENCES] = tuple(map(str, cast("list[Any]", stop)))
    choices = body.get("n")
    if isinstance(choices, int) and choices != 1:
        attributes[attr.GEN_AI_REQUEST_CHOICE_COUNT] = choices
    if body.get("stream") is True:
        attributes[attr.GEN_AI_REQUEST_STREAM] = True
    tier = body.get("service_tier")
    if isinstance(tier, str) and tier != "auto":
        attributes[attr.OPENAI_REQUEST_SERVICE_TIER] = tier
    if not _NESTED.isdisjoint(body):
        attributes.update(_nested(body))
    return attributes


_NESTED: Final = frozenset(
    ("conversation", "modalities", "prompt", "reasoning", "response_format", "text")
)
_OTHERS: Final = _NESTED | {"stop", "n", "stream", "service_tier", *dict(_TEXTS)}


def _nested(body: Body) -> dict[str, Any]:
    attributes = _prompt(as_mapping(body.get("prompt")))
    effort = as_mapping(body.get("reasoning")).get("effort")
    if isinstance(effort, str):
        attributes[attr.GEN_AI_REQUEST_REASONING_LEVEL] = effort
    output_type = _output_type(body)
    if output_type is not None:
        attributes[attr.GEN_AI_OUTPUT_TYPE] = output_type
    conversation = _conversation(body.get("conversation"))
    if conversation is not None:
        attributes[attr.GEN_AI_CONVERSATION_ID] = conversation
    return attributes


def _output_type(body: Body) -> str | None:
    modalities = body.get("modalities")
    if isinstance(modalities, (list, tuple)) and "audio" in modalities:
        return OutputType.SPEECH.value
    format_ = as_mapping(body.get("response_format")) or as_mapping(
        as_mapping(body.get("text")).get("format")
    )
    return _OUTPUT_TYPES.get(str(format_.get("type")))


def _conversation(value: object) -> str | None:
    identifier = value if isinstance(value, str) else as_mapping(value).get("id")
    return identifier if isinstance(identifier, str) else None


def _prompt(prompt: Body) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for key, name in (("id", attr.GEN_AI_PROMPT_NAME), ("version", attr.GEN_AI_PROMPT_VERSION)):
        value = prompt.get(key)
        if isinstance(value, str):
            attributes[name] = value
    return attributes


def embeddings_attributes(body: Body) -> dict[str, Any]:
    """Return the request attributes of embeddings."""
    attributes: dict[str, Any] = {}
    dimensions = body.get("dimensions")
    if isinstance(dimensions, int):
        attributes[attr.GEN_AI_EMBEDDINGS_DIMENSION_COUNT] = dimensions
    encoding = body.get("encoding_format")
    if isinstance(encoding, str):
        attributes[attr.GEN_AI_REQUEST_ENCODING_FORMATS] = (encoding,)
    return attributes

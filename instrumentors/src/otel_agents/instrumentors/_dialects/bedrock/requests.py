"""Attributes of a request, by the names that Bedrock's models have for them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._dialects.fields import Body, as_mapping, as_number
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import OutputType

__all__ = ["converse_attributes", "settings_attributes"]

_NUMBERS: Final = (
    (attr.GEN_AI_REQUEST_TEMPERATURE, float, ("temperature",)),
    (attr.GEN_AI_REQUEST_TOP_P, float, ("top_p", "topP", "p")),
    (attr.GEN_AI_REQUEST_TOP_K, int, ("top_k", "topK", "k")),
    (attr.GEN_AI_REQUEST_SEED, int, ("seed",)),
    (
        attr.GEN_AI_REQUEST_FREQUENCY_PENALTY,
        float,
        ("frequency_penalty", "frequencyPenalty"),
    ),
    (
        attr.GEN_AI_REQUEST_PRESENCE_PENALTY,
        float,
        ("presence_penalty", "presencePenalty"),
    ),
    (
        attr.GEN_AI_REQUEST_MAX_TOKENS,
        int,
        (
            *("max_tokens", "max_completion_tokens", "max_new_tokens", "max_tokens_to_sample"),
            *("maxTokens", "maxTokenCount", "max_gen_len"),
        ),
    ),
)
_BY_KEY: Final = MappingProxyType(
    {key: (name, kind) for name, kind, keys in _NUMBERS for key in keys}
)
_STOP: Final = ("stop", "stop_sequences", "stopSequences")
_CHOICES: Final = ("n", "num_generations", "numResults", "numberOfImages")
_HOLDERS: Final = ("textGenerationConfig", "inferenceConfig", "imageGenerationConfig")
_JSON: Final = ("json_object", "json_schema")


def settings_attributes(body: Body) -> dict[str, Any]:
    """Return the request attributes of a model's own body."""
    attributes = _settings(body)
    for holder in _HOLDERS:
        if holder in body:
            attributes.update(_settings(as_mapping(body[holder])))
    effort = _effort(body)
    if effort is not None:
        attributes[attr.GEN_AI_REQUEST_REASONING_LEVEL] = effort
    if as_mapping(body.get("response_format")).get("type") in _JSON:
        attributes[attr.GEN_AI_OUTPUT_TYPE] = OutputType.JSON.value
    return attributes


def converse_attributes(request: Body) -> dict[str, Any]:
    """Return the request attributes of a Converse request.

    Fields that only one model has are in ``additionalModelRequestFields``, in that model's shape.
    """
    # A hot path: most requests have one of these.
    more, settings = request.get("additionalModelRequestFields"), request.get("inferenceConfig")
    attributes = settings_attributes(as_mapping(more)) if more else {}
    if settings:
        attributes.update(_settings(as_mapping(settings)))
    config = request.get("outputConfig")
    if config:
        config = as_mapping(config)
        if isinstance(config.get("effort"), str):
            attributes[attr.GEN_AI_REQUEST_REASONING_LEVEL] = config["effort"]
        if as_mapping(config.get("textFormat")).get("type") in _JSON:
            attributes[attr.GEN_AI_OUTPUT_TYPE] = OutputType.JSON.value
    guarding = request.get("guardrailConfig")
    if guarding:
        guardrail = as_mapping(guarding).get("guardrailIdentifier")
        if isinstance(guardrail, str):
            attributes[attr.AWS_BEDROCK_GUARDRAIL_ID] = guardrail
    return attributes


def _settings(holder: Body) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for key, value in holder.items():
        known = _BY_KEY.get(key)
        if known is not None:
            name, number = known
            if isinstance(value, dict):  # a penalty of AI21's Jurassic
                value = cast("dict[str, Any]", value).get("scale", value)
            converted = as_number(value, number)
            if converted is not None:
                attributes[name] = converted
        elif key in _STOP and value:
            stops = cast("list[Any]", value) if isinstance(value, (list, tuple)) else [value]
            attributes[attr.GEN_AI_REQUEST_STOP_SEQUENCES] = tuple(map(str, stops))
        elif key in _CHOICES and isinstance(value, int) and value != 1:
            attributes[attr.GEN_AI_REQUEST_CHOICE_COUNT] = value
    return attributes


def _effort(body: Body) -> str | None:
    """Return how much the model is to reason: OpenAI's, Anthropic's and Nova's field for it."""
    candidates = (
        body.get("reasoning_effort"),
        as_mapping(body.get("output_config")).get("effort"),
        as_mapping(body.get("reasoningConfig")).get("maxReasoningEffort"),
    )
    return next((effort for effort in candidates if isinstance(effort, str)), None)

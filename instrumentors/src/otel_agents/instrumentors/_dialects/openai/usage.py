"""Token usage of OpenAI's APIs: totals, and the breakdowns that are not zero."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import MOST, as_count, field, known_fields, text
from otel_agents.semconv import attributes as attr

__all__ = ["embeddings_fields", "usage_of"]


_DETAILS: Final = (
    (
        ("prompt_tokens_details", "input_tokens_details", "input_token_details"),
        MappingProxyType(
            {
                "cached_tokens": attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
                "cache_write_tokens": attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
                "text_tokens": attr.GEN_AI_USAGE_TEXT_INPUT_TOKENS,
                "image_tokens": attr.GEN_AI_USAGE_IMAGE_INPUT_TOKENS,
                "audio_tokens": attr.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
            }
        ),
    ),
    (
        ("completion_tokens_details", "output_tokens_details", "output_token_details"),
        MappingProxyType(
            {
                "reasoning_tokens": attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
                "text_tokens": attr.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS,
                "image_tokens": attr.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,
                "audio_tokens": attr.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
            }
        ),
    ),
)
_KEYS: Final = (
    *("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens"),
    *(name for names, _ in _DETAILS for name in names),
)


def usage_of(usage: object) -> Usage | None:
    """Return the usage of a response of any of the APIs; None if there is none."""
    if usage is None:
        return None
    # A hot path: details have few fields, most of them zero, so they are read, not the rows.
    fields = known_fields(usage, _KEYS)
    inputs, outputs = fields.get("prompt_tokens"), fields.get("completion_tokens")
    if type(inputs) is not int or not 0 <= inputs < MOST:
        inputs = as_count(inputs)
    if type(outputs) is not int or not 0 <= outputs < MOST:
        outputs = as_count(outputs)
    if inputs is None and outputs is None:
        inputs, outputs = (
            as_count(fields.get("input_tokens")),
            as_count(fields.get("output_tokens")),
        )
    breakdown: dict[str, int] = {}
    for names, rows in _DETAILS:
        for name in names:
            details = fields.get(name)
            if details is not None:
                break
        else:
            continue
        for key, tokens in known_fields(details, rows).items():
            if tokens and key in rows and (tokens := as_count(tokens)):
                breakdown[rows[key]] = tokens
    return Usage(inputs, outputs, breakdown)


def embeddings_fields(response: Any) -> ResponseFields:
    """Return what a response with embeddings reports of itself."""
    return ResponseFields(model=text(response, "model"), usage=usage_of(field(response, "usage")))

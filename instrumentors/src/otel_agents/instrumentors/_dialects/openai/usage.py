"""Token usage of OpenAI's APIs: totals, and the breakdowns that are not zero."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import MOST, as_count, field, known_fields, text
from otel_agents.semconv import attributes as attr

__all__ = ["embeddings_fields", "usage_of"]


_INPUT_DETAILS: Final = MappingProxyType(
    {
        "cached_tokens": attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
        "cache_write_tokens": attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        "text_tokens": attr.GEN_AI_USAGE_TEXT_INPUT_TOKENS,
        "image_tokens": attr.GEN_AI_USAGE_IMAGE_INPUT_TOKENS,
        "audio_tokens": attr.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    }
)
_OUTPUT_DETAILS: Final = MappingProxyType(
    {
        "reasoning_tokens": attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
        "text_tokens": attr.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS,
        "image_tokens": attr.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,
        "audio_tokens": attr.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    }
)
_DETAILS: Final = MappingProxyType(
    {
        **dict.fromkeys(
            ("prompt_tokens_details", "input_tokens_details", "input_token_details"),
            _INPUT_DETAILS,
        ),
        **dict.fromkeys(
            ("completion_tokens_details", "output_tokens_details", "output_token_details"),
            _OUTPUT_DETAILS,
        ),
    }
)
"""The attributes of the details of a usage, by its field."""
_details_of: Final = {**_DETAILS}.get  # a proxy's own `get` takes twice as long
_KEYS: Final = (
    *("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens"),
    *_DETAILS,
)


def usage_of(usage: object) -> Usage | None:
    """Return the usage of a response of any of the APIs; None if there is none."""
    if usage is None:
        return None
    # A hot path: a usage and its details have few fields, so they are read, not the rows.
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
    for name, details in fields.items():
        rows = _details_of(name) if details is not None else None
        if rows is None:
            continue
        counts = known_fields(details, rows)
        for key, tokens in counts.items() if any(counts.values()) else ():
            if tokens and key in rows and (tokens := as_count(tokens)):
                breakdown[rows[key]] = tokens
    return Usage(inputs, outputs, breakdown)


def embeddings_fields(response: Any) -> ResponseFields:
    """Return what a response with embeddings reports of itself."""
    return ResponseFields(model=text(response, "model"), usage=usage_of(field(response, "usage")))

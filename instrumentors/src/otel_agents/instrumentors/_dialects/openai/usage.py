"""Token usage of OpenAI's APIs: totals, and the breakdowns that are not zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._dialects.api import ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import MOST, as_count, known_fields, text
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
_DETAILS: Final = (
    (("prompt_tokens_details", "input_tokens_details", "input_token_details"), _INPUT_DETAILS),
    (
        ("completion_tokens_details", "output_tokens_details", "output_token_details"),
        _OUTPUT_DETAILS,
    ),
)
"""The fields of details, that of chat first, and the attributes of what they hold."""
_EMBEDDING_FIELDS: Final = ("model", "usage")
_new_usage: Final[Callable[[tuple[int | None, int | None, dict[str, int]]], Usage]] = partial(
    cast(Any, tuple).__new__, Usage
)
"""Makes one, on a hot path: the class does it by a Python function."""
_KEYS: Final = (
    *("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens"),
    *(name for names, _ in _DETAILS for name in names),
)


def usage_of(usage: object) -> Usage | None:
    """Return the usage of a response of any of the APIs; None if there is none."""
    if usage is None:
        return None
    # A hot path: without a call for what nearly every usage is, with details that are all zero.
    fields = known_fields(usage, _KEYS)
    inputs, outputs = fields.get("prompt_tokens"), fields.get("completion_tokens")
    if inputs is not None and (type(inputs) is not int or not 0 <= inputs < MOST):
        inputs = as_count(inputs)
    if outputs is not None and (type(outputs) is not int or not 0 <= outputs < MOST):
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
                counts = known_fields(details, rows)
                if any(counts.values()):
                    breakdown.update(_named(counts, rows))
                break
    return _new_usage((inputs, outputs, breakdown))


def _named(counts: Mapping[str, Any], rows: Mapping[str, str]) -> dict[str, int]:
    """Return the counts that are not zero, by attribute."""
    found = {name: as_count(counts.get(key)) for key, name in rows.items()}
    return {name: count for name, count in found.items() if count}


def embeddings_fields(response: Any) -> ResponseFields:
    """Return what a response with embeddings reports of itself."""
    fields = known_fields(response, _EMBEDDING_FIELDS)
    return ResponseFields(model=text(fields, "model"), usage=usage_of(fields.get("usage")))

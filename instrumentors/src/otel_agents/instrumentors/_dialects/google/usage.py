"""Token usage of Gemini's API: candidates exclude thoughts, and the prompt excludes tools."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import as_count, fields_of
from otel_agents.semconv import attributes as attr

from .spellings import field, items, text

__all__ = ["usage_of"]

_BREAKDOWN: Final = (
    ("cached_content_token_count", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("thoughts_token_count", attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
)
_INPUT: Final = MappingProxyType(
    {
        "TEXT": attr.GEN_AI_USAGE_TEXT_INPUT_TOKENS,
        "IMAGE": attr.GEN_AI_USAGE_IMAGE_INPUT_TOKENS,
        "AUDIO": attr.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    }
)
_CACHED: Final = MappingProxyType(
    {
        "TEXT": attr.GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS,
        "IMAGE": attr.GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS,
        "AUDIO": attr.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
    }
)
_OUTPUT: Final = MappingProxyType(
    {
        "TEXT": attr.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS,
        "IMAGE": attr.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,
        "AUDIO": attr.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    }
)
_DETAILS: Final = (
    ("prompt_tokens_details", _INPUT),
    ("tool_use_prompt_tokens_details", _INPUT),
    ("cache_tokens_details", _CACHED),
    ("candidates_tokens_details", _OUTPUT),
)
"""Lists of counts by modality; the conventions have no attributes for videos and documents."""


def usage_of(metadata: Any) -> Usage | None:
    """Return the usage in ``usage_metadata``; None if it counts no tokens."""
    metadata = fields_of(metadata)
    prompt = _count(metadata, "prompt_token_count")
    inputs = prompt + _count(metadata, "tool_use_prompt_token_count")
    outputs = _count(metadata, "candidates_token_count") + _count(metadata, "thoughts_token_count")
    if not inputs and not outputs:
        return None
    breakdown = {name: _count(metadata, key) for key, name in _BREAKDOWN}
    for key, names in _DETAILS:
        for attribute, count in _by_modality(items(metadata, key), names):
            breakdown[attribute] = breakdown.get(attribute, 0) + count
    counted = {name: count for name, count in breakdown.items() if count}
    return Usage(inputs or None, outputs, counted)


def _by_modality(
    details: Iterable[Any], names: MappingProxyType[str, str]
) -> Iterable[tuple[str, int]]:
    for detail in details:
        attribute = names.get(text(detail, "modality") or "")
        if attribute is not None:
            yield attribute, _count(detail, "token_count")


def _count(holder: Any, name: str) -> int:
    return as_count(field(holder, name)) or 0

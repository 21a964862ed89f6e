"""Token usage of Gemini's API: candidates exclude thoughts, and the prompt excludes tools."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import as_count, fields_of
from otel_agents.semconv import attributes as attr

from .spellings import both_spellings, field, text

__all__ = ["usage_of"]

_PROMPT, _TOOLS, _CANDIDATES = "prompt", "tools", "candidates"
_COUNTS: Final = both_spellings(
    {
        "prompt_token_count": _PROMPT,
        "tool_use_prompt_token_count": _TOOLS,
        "candidates_token_count": _CANDIDATES,
        "thoughts_token_count": attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
        "cached_content_token_count": attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    }
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
_DETAILS: Final = both_spellings(
    {
        "prompt_tokens_details": _INPUT,
        "tool_use_prompt_tokens_details": _INPUT,
        "cache_tokens_details": _CACHED,
        "candidates_tokens_details": _OUTPUT,
    }
)
"""Lists of counts by modality; the conventions have no attributes for videos and documents."""


def usage_of(metadata: Any) -> Usage | None:
    """Return the usage in ``usage_metadata``; None if it counts no tokens."""
    counted: dict[str, int] = {}
    details: dict[str, int] = {}
    for name, value in fields_of(metadata).items():  # a hot path: one look at each field
        if not value:
            continue
        kind = _COUNTS.get(name)
        if kind is not None:
            count = as_count(value)
            if count:
                counted[kind] = count
        elif name in _DETAILS and isinstance(value, (list, tuple)):
            for attribute, count in _by_modality(cast("list[Any]", value), _DETAILS[name]):
                details[attribute] = details.get(attribute, 0) + count
    inputs = counted.pop(_PROMPT, 0) + counted.pop(_TOOLS, 0)
    outputs = counted.pop(_CANDIDATES, 0) + counted.get(
        attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, 0
    )
    if not inputs and not outputs:
        return None
    return Usage(inputs or None, outputs, {**counted, **details} if details else counted)


def _by_modality(
    details: Iterable[Any], names: MappingProxyType[str, str]
) -> Iterable[tuple[str, int]]:
    for detail in details:
        attribute = names.get(text(detail, "modality") or "")
        count = as_count(field(detail, "token_count"))
        if attribute is not None and count:
            yield attribute, count

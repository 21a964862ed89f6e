"""Token usage of Anthropic's API.

Its input tokens exclude those read from a cache or written to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import (
    as_count,
    as_mapping,
    field,
    fields_of,
    items,
    text,
)
from otel_agents.semconv import attributes as attr

__all__ = ["CACHE_COUNTS", "counts_of", "usage_of"]

CACHE_COUNTS: Final = (
    ("cache_read_input_tokens", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_creation_input_tokens", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
)
"""Anthropic's names of cached input tokens, with the conventions' attributes."""

_THINKING: Final = "thinking_tokens"
_HOUR: Final = "ephemeral_1h_input_tokens"
"""Those of the input that is written to a cache for an hour, which costs more; a part of the whole."""
_INPUT: Final = "input_tokens"
_OUTPUT: Final = "output_tokens"
_BILLED: Final = (_INPUT, _OUTPUT, *(key for key, _ in CACHE_COUNTS))
_PARTS: Final = (("output_tokens_details", _THINKING), ("cache_creation", _HOUR))
"""Where counts are that are parts of others."""
_ATTRIBUTES: Final = (
    (_THINKING, attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    (_HOUR, attr.OTEL_AGENTS_USAGE_CACHE_WRITE_1H_INPUT_TOKENS),
)
_SEPARATE: Final = ("compaction", "advisor_message")
"""Iterations that are billed and not part of the totals: the API reference, "usage.iterations"."""


def counts_of(usage: Any) -> dict[str, int]:
    """Return the token counts of a ``usage``, which is a mapping or an SDK object.

    The counts of iterations that its totals leave out are under their names with a prefix.
    """
    fields = as_mapping(usage) or (fields_of(usage) if hasattr(usage, "__dict__") else {})
    counts = {name: n for name, it in fields.items() if (n := as_count(it)) is not None}
    for whole, name in _PARTS:
        part = as_count(field(fields.get(whole), name))
        if part is not None:
            counts[name] = part
    for iteration in items(fields, "iterations"):
        if text(iteration, "type") in _SEPARATE:
            for name in _BILLED:
                separate = as_count(field(iteration, name))
                if separate is not None:
                    counts[_separate(name)] = counts.get(_separate(name), 0) + separate
            hour = as_count(field(field(iteration, "cache_creation"), _HOUR))
            if hour is not None:
                counts[_HOUR] = counts.get(_HOUR, 0) + hour
    return counts


def _separate(name: str) -> str:
    return f"separate_{name}"


def usage_of(numbers: Mapping[str, int]) -> Usage | None:
    """Return the usage for the counts of a response or a stream; None without any tokens.

    The output tokens are None in a stream that broke off before it reported them.
    """
    if _OUTPUT not in numbers and _INPUT not in numbers:
        return None
    billed = {name: numbers.get(name, 0) + numbers.get(_separate(name), 0) for name in _BILLED}
    usage = Usage.with_cache_tokens(
        billed[_INPUT], billed[_OUTPUT], {name: billed[key] for key, name in CACHE_COUNTS}
    )
    for key, name in _ATTRIBUTES:
        if numbers.get(key):
            usage.breakdown[name] = numbers[key]
    return usage if _OUTPUT in numbers else usage._replace(output_tokens=None)

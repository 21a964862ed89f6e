"""Token usage of Anthropic's API.

Its input tokens exclude those read from a cache or written to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import as_mapping, fields_of
from otel_agents.semconv import attributes as attr

__all__ = ["CACHE_COUNTS", "counts_of", "usage_of"]

CACHE_COUNTS: Final = (
    ("cache_read_input_tokens", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_creation_input_tokens", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
)
"""Anthropic's names of cached input tokens, with the conventions' attributes."""


def counts_of(usage: Any) -> dict[str, int]:
    """Return the token counts of a ``usage``, which is a mapping or an SDK object."""
    fields = as_mapping(usage) or (fields_of(usage) if hasattr(usage, "__dict__") else {})
    return {name: n for name, n in fields.items() if isinstance(n, int)}


def usage_of(numbers: Mapping[str, int]) -> Usage | None:
    """Return the usage for the counts of a response or a stream; None without output tokens."""
    if "output_tokens" not in numbers:
        return None
    cached = {name: numbers.get(key, 0) for key, name in CACHE_COUNTS}
    return Usage.with_cache_tokens(numbers.get("input_tokens", 0), numbers["output_tokens"], cached)

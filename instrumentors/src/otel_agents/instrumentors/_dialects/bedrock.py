"""Token usage of Bedrock's Converse API.

Its input tokens exclude those read from a cache or written to it.
"""

from __future__ import annotations

from typing import Any, Final

from otel_agents.semconv import attributes as attr

from .api import Usage
from .fields import as_mapping

__all__ = ["usage_of"]

_CACHE_COUNTS: Final = (
    ("cacheReadInputTokens", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cacheWriteInputTokens", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
)


def usage_of(usage: Any) -> Usage | None:
    """Return the usage of a response; None if it has none."""
    numbers = {name: n for name, n in as_mapping(usage).items() if isinstance(n, int)}
    if "inputTokens" not in numbers:
        return None
    cached = {name: numbers.get(key, 0) for key, name in _CACHE_COUNTS}
    return Usage.with_cache_tokens(numbers["inputTokens"], numbers.get("outputTokens", 0), cached)

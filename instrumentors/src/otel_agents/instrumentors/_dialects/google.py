"""Token usage of Gemini's API, whose output tokens exclude reasoning."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.semconv import attributes as attr

from .api import Usage
from .fields import field

__all__ = ["usage_of"]

_BREAKDOWN: Final = (
    ("cached_content_token_count", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("thoughts_token_count", attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
)


def usage_of(metadata: Any) -> Usage | None:
    """Return the usage in ``usage_metadata``; None if it counts no prompt tokens."""
    prompt = _count(metadata, "prompt_token_count")
    if not prompt:
        return None
    inputs = prompt + _count(metadata, "tool_use_prompt_token_count")
    outputs = _count(metadata, "candidates_token_count") + _count(metadata, "thoughts_token_count")
    parts = {name: _count(metadata, key) for key, name in _BREAKDOWN}
    return Usage(inputs, outputs, {name: count for name, count in parts.items() if count})


def _count(metadata: Any, name: str) -> int:
    value = field(metadata, name)
    return value if isinstance(value, int) else 0

"""Token usage, as CrewAI's model classes read it from providers' responses."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.openai.usage import usage_of as openai_usage
from otel_agents.semconv import attributes as attr

__all__ = ["usage_of"]

_INPUT: Final = ("prompt_token_count", "inputTokens")
_OUTPUT: Final = ("candidates_token_count", "outputTokens")
_PARTS: Final = MappingProxyType(
    {
        attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: ("cached_prompt_tokens", "cacheReadInputTokens"),
        attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: (
            "cache_creation_tokens",
            "cacheWriteInputTokens",
        ),
        attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: ("reasoning_tokens",),
    }
)
"""The counts that CrewAI does not name as OpenAI does."""


def usage_of(usage: Any) -> Usage | None:
    """Return tokens with the cached part of the input and the reasoning part of the output.

    None where the response has no usage.
    """
    read = openai_usage(usage)
    if read is None:
        return None
    counts = {name: n for name, n in as_mapping(usage).items() if isinstance(n, int)}
    input_tokens = _first(counts, _INPUT, read.input_tokens)
    output_tokens = _first(counts, _OUTPUT, read.output_tokens)
    if input_tokens is None and output_tokens is None:
        return None
    found = {name: _first(counts, keys) for name, keys in _PARTS.items()}
    parts = {name: count for name, count in found.items() if count}
    if "inputTokens" in counts:  # CrewAI passes these on unread: they exclude the cached ones
        return Usage.with_cache_tokens(input_tokens or 0, output_tokens or 0, parts)
    return Usage(input_tokens, output_tokens, {**read.breakdown, **parts})


def _first(counts: dict[str, int], names: tuple[str, ...], known: int | None = None) -> int | None:
    """Return ``known``; else the first of these counts, if any."""
    return known if known is not None else next((counts[n] for n in names if n in counts), None)

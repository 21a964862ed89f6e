"""Token usage as CrewAI's model classes read it from their providers' responses."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.openai.usage import usage_of as openai_usage
from otel_agents.semconv import attributes as attr

__all__ = ["usage_of"]

_INPUT: Final = "prompt_token_count"
_CONVERSED: Final = ("inputTokens", "outputTokens")
_CACHES: Final = ("cacheReadInputTokens", "cacheWriteInputTokens")
_PARTS: Final = (
    (attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, ("cached_prompt_tokens", _CACHES[0])),
    (attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, ("cache_creation_tokens", _CACHES[1])),
    (attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, ("reasoning_tokens",)),
)


def usage_of(usage: Any) -> Usage | None:
    """Input with what came from caches, output with what was thought; None where nothing is told."""
    read = openai_usage(usage)
    if read is None or not isinstance(usage, dict):
        return read
    counts: dict[str, int] = {
        name: count
        for name, count in usage.items()  # pyright: ignore[reportUnknownVariableType]  any dict
        if isinstance(name, str) and isinstance(count, int)
    }
    told, answered = read.input_tokens, read.output_tokens
    if _CONVERSED[0] in counts:  # Bedrock's input is that which no cache had a part in
        told = counts[_CONVERSED[0]] + sum(counts.get(cache, 0) for cache in _CACHES)
        answered = counts.get(_CONVERSED[1])
    told = counts.get(_INPUT) if told is None else told
    if told is None and answered is None:
        return None
    parts = {name: counts[key] for name, keys in _PARTS for key in keys if counts.get(key, 0) > 0}
    return Usage(told, answered, {**read.breakdown, **parts})

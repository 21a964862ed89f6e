"""Token usage, as CrewAI's model classes read it from providers' responses."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects import bedrock
from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.openai.usage import usage_of as openai_usage
from otel_agents.semconv import attributes as attr

__all__ = ["usage_of"]

_INPUT: Final = "prompt_token_count"
_PARTS: Final = (
    (attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, "cached_prompt_tokens"),
    (attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, "cache_creation_tokens"),
    (attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, "reasoning_tokens"),
)


def usage_of(usage: Any) -> Usage | None:
    """Return tokens with the cached part of the input and the reasoning part of the output.

    None where the response has no usage.
    """
    read = openai_usage(usage)
    if read is None or not isinstance(usage, dict):
        return read
    bedrock_usage = bedrock.usage_of(usage)
    if bedrock_usage is not None:
        return bedrock_usage
    counts: dict[str, int] = {
        name: count
        for name, count in usage.items()  # pyright: ignore[reportUnknownVariableType]  any dict
        if isinstance(name, str) and isinstance(count, int)
    }
    input_tokens = counts.get(_INPUT) if read.input_tokens is None else read.input_tokens
    if input_tokens is None and read.output_tokens is None:
        return None
    parts = {name: counts[key] for name, key in _PARTS if counts.get(key, 0) > 0}
    return Usage(input_tokens, read.output_tokens, {**read.breakdown, **parts})

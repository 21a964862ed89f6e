"""Token usage as Bedrock reports it: in Converse's responses, in a stream's metrics, in headers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import as_count, as_mapping, field, items, text
from otel_agents.semconv import attributes as attr

__all__ = ["usage_in_chunk", "usage_in_headers", "usage_of"]

_METRICS: Final = "amazon-bedrock-invocationMetrics"
_CACHE_COUNTS: Final = (
    ("cacheReadInputTokens", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cacheWriteInputTokens", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
)
_UNCACHED: Final = frozenset(("inputTokens", "outputTokens", "totalTokens"))
_SPELLINGS: Final = MappingProxyType(
    {
        "inputTokenCount": "inputTokens",
        "outputTokenCount": "outputTokens",
        "cacheReadInputTokenCount": "cacheReadInputTokens",
        "cacheWriteInputTokenCount": "cacheWriteInputTokens",
    }
)
"""The names in a stream's metrics and in Nova's own bodies, with those of Converse."""

_HEADERS: Final = MappingProxyType(
    {
        "x-amzn-bedrock-input-token-count": "inputTokens",
        "x-amzn-bedrock-output-token-count": "outputTokens",
        "x-amzn-bedrock-cache-read-input-token-count": "cacheReadInputTokens",
        "x-amzn-bedrock-cache-write-input-token-count": "cacheWriteInputTokens",
    }
)


def usage_of(usage: Any) -> Usage | None:
    """Return the usage of a response, which counts cached input apart; None if it has none."""
    if not usage:
        return None
    fields = as_mapping(usage)
    if fields.keys() <= _UNCACHED:  # a hot path: nearly always
        inputs, outputs = as_count(fields.get("inputTokens")), as_count(fields.get("outputTokens"))
        return Usage(inputs, outputs or 0, {}) if inputs is not None else None
    numbers = {
        _SPELLINGS.get(name, name): n
        for name, count in fields.items()
        if (n := as_count(count)) is not None
    }
    if "inputTokens" not in numbers:
        return None
    cached = {name: numbers.get(key, 0) for key, name in _CACHE_COUNTS}
    found = Usage.with_cache_tokens(numbers["inputTokens"], numbers.get("outputTokens", 0), cached)
    details = [it for it in items(usage, "cacheDetails") if text(it, "ttl") == "1h"]
    hour = sum(as_count(field(it, "inputTokens")) or 0 for it in details)
    if hour:
        found.breakdown[attr.OTEL_AGENTS_USAGE_CACHE_WRITE_1H_INPUT_TOKENS] = hour
    return found


def usage_in_chunk(payload: Mapping[str, Any]) -> Usage | None:
    """Return the usage that Bedrock adds to the last chunk of an InvokeModel stream."""
    metrics = payload.get(_METRICS)
    return usage_of(metrics) if metrics else None


def usage_in_headers(headers: Mapping[str, Any]) -> Usage | None:
    """Return the usage in the HTTP headers of an InvokeModel response, whatever its body."""
    counts = {name: str(headers[key]) for key, name in _HEADERS.items() if key in headers}
    return usage_of({name: int(count) for name, count in counts.items() if count.isdigit()})

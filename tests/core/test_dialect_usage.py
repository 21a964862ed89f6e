"""Usage in each provider's terms: totals include cached and reasoning tokens."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from otel_agents.instrumentors._dialects import bedrock, google
from otel_agents.instrumentors._dialects.anthropic import usage as anthropic
from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.openai import usage as openai

READ = "gen_ai.usage.cache_read.input_tokens"
WRITTEN = "gen_ai.usage.cache_write.input_tokens"
HOUR = "otel_agents.usage.cache_write_1h.input_tokens"
THOUGHT = "gen_ai.usage.reasoning.output_tokens"


def of_anthropic(usage: Any) -> Usage | None:
    return anthropic.usage_of(anthropic.counts_of(usage))


GEMINI = {
    "prompt_token_count": 10,
    "cached_content_token_count": 4,
    "tool_use_prompt_token_count": 1,
    "candidates_token_count": 2,
    "thoughts_token_count": 3,
}
GEMINI_PARTS = {READ: 4, THOUGHT: 3}
CONVERSE = {
    "inputTokens": 5,
    "outputTokens": 2,
    "totalTokens": 14,
    "cacheReadInputTokens": 4,
    "cacheWriteInputTokens": 3,
}
ANTHROPIC = {
    "input_tokens": 5,
    "output_tokens": 2,
    "cache_read_input_tokens": 4,
    "cache_creation_input_tokens": 3,
    "service_tier": "standard",
}
THOUGHTS_ALONE = Usage(None, 5, {THOUGHT: 3})
ITERATIONS = [
    {"type": "message", "input_tokens": 5, "output_tokens": 2},  # in the totals
    {"type": "compaction", "input_tokens": 7, "output_tokens": 2, "cache_read_input_tokens": 2},
    {"type": "advisor_message", "input_tokens": 2, "output_tokens": 1},
]
KEPT = [
    {
        "type": "compaction",
        "cache_creation_input_tokens": 6,
        "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 4},
    }
]
DETAILS = [{"ttl": "1h", "inputTokens": 2}, {"ttl": "5m", "inputTokens": 1}]
CASES: list[tuple[Callable[[Any], Usage | None], Any, Usage | None]] = [
    (google.usage_of, GEMINI, Usage(11, 5, {READ: 4, THOUGHT: 3})),
    (google.usage_of, SimpleNamespace(prompt_token_count=7), Usage(7, 0, {})),
    (google.usage_of, SimpleNamespace(prompt_token_count=None), None),
    (google.usage_of, {"promptTokenCount": 0, "totalTokenCount": 0}, None),
    (google.usage_of, {"candidatesTokenCount": 2, "thoughtsTokenCount": 3}, THOUGHTS_ALONE),
    (google.usage_of, {"toolUsePromptTokenCount": 2}, Usage(2, 0, {})),
    (google.usage_of, None, None),
    (bedrock.usage_of, CONVERSE, Usage(12, 2, {READ: 4, WRITTEN: 3})),
    (bedrock.usage_of, {"inputTokens": 5}, Usage(5, 0, {})),
    (bedrock.usage_of, None, None),
    (of_anthropic, ANTHROPIC, Usage(12, 2, {READ: 4, WRITTEN: 3})),
    (of_anthropic, SimpleNamespace(**ANTHROPIC), Usage(12, 2, {READ: 4, WRITTEN: 3})),
    (
        of_anthropic,
        {**ANTHROPIC, "output_tokens_details": {"thinking_tokens": 1}},
        Usage(12, 2, {READ: 4, WRITTEN: 3, THOUGHT: 1}),
    ),
    (
        of_anthropic,
        {**ANTHROPIC, "cache_creation": {"ephemeral_1h_input_tokens": 2}, "iterations": KEPT},
        Usage(18, 2, {READ: 4, WRITTEN: 9, HOUR: 6}),
    ),
    (
        bedrock.usage_of,
        {**CONVERSE, "cacheDetails": DETAILS},
        Usage(12, 2, {READ: 4, WRITTEN: 3, HOUR: 2}),
    ),
    (of_anthropic, {**ANTHROPIC, "iterations": ITERATIONS}, Usage(23, 5, {READ: 6, WRITTEN: 3})),
    (of_anthropic, {"input_tokens": 5}, Usage(5, None, {})),
    (of_anthropic, {"service_tier": "standard"}, None),
    (of_anthropic, None, None),
    *(
        case
        for wrong in (-1, 2**63, float("nan"), 1.5, True, "5", None)
        for case in (
            (of_anthropic, {"input_tokens": wrong, "output_tokens": 2}, Usage(0, 2, {})),
            (bedrock.usage_of, {"inputTokens": 5, "outputTokens": wrong}, Usage(5, 0, {})),
            (google.usage_of, {**GEMINI, "prompt_token_count": wrong}, Usage(1, 5, GEMINI_PARTS)),
            (openai.usage_of, {"prompt_tokens": wrong, "completion_tokens": 2}, Usage(None, 2, {})),
        )
    ),
    (openai.usage_of, {"prompt_tokens": 5.0, "completion_tokens": 2}, Usage(5, 2, {})),
]


@pytest.mark.parametrize(("read", "usage", "expected"), CASES)
def test_usage(read: Callable[[Any], Usage | None], usage: Any, expected: Usage | None) -> None:
    assert read(usage) == expected

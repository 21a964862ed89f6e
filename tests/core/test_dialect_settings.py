"""Settings of a request: what a number's attribute cannot hold is left out, and nothing else is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from otel_agents.instrumentors._dialects.anthropic.requests import (
    request_attributes as anthropic_attributes,
)
from otel_agents.instrumentors._dialects.bedrock.requests import converse_attributes
from otel_agents.instrumentors._dialects.google.embeddings import embeddings_fields
from otel_agents.instrumentors._dialects.google.requests import (
    inference_attributes as google_attributes,
)
from otel_agents.instrumentors._dialects.mistral.requests import (
    inference_attributes as mistral_attributes,
)
from otel_agents.instrumentors._dialects.openai.requests import (
    inference_attributes as openai_attributes,
)

READERS: dict[str, tuple[Callable[[Any], dict[str, Any]], Callable[[Any], Any], str]] = {
    "anthropic": (anthropic_attributes, lambda body: body, "max_tokens"),
    "openai": (openai_attributes, lambda body: body, "max_tokens"),
    "mistral": (mistral_attributes, lambda body: body, "max_tokens"),
    "google": (google_attributes, lambda body: {"config": body}, "max_output_tokens"),
    "bedrock": (converse_attributes, lambda body: {"inferenceConfig": body}, "maxTokens"),
}
TOKENS, TEMPERATURE = "gen_ai.request.max_tokens", "gen_ai.request.temperature"
UNABLE = [math.inf, -math.inf, math.nan, 2**63, -(2**63) - 1, 1e30, True, "7", None, [7]]


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("value", UNABLE, ids=str)
def test_an_integer_that_cannot_be_recorded_is_left_out(name: str, value: Any) -> None:
    read, body, tokens = READERS[name]
    assert read(body({tokens: value, "temperature": 1})) == {TEMPERATURE: 1.0}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("value", [2**63 - 1, 7.0, 0])
def test_an_integer_that_can(name: str, value: Any) -> None:
    read, body, tokens = READERS[name]
    (recorded,) = read(body({tokens: value})).values()
    assert (type(recorded), recorded) == (int, value)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("value", [math.inf, math.nan, 10**400], ids=["inf", "nan", "large"])
def test_a_setting_that_is_no_finite_number(name: str, value: float) -> None:
    read, body, tokens = READERS[name]
    assert read(body({"temperature": value, tokens: 7})) == {TOKENS: 7}


@pytest.mark.parametrize("count", [math.inf, math.nan, 2**63])
def test_a_count_of_an_embedding_that_cannot_be_recorded(count: float) -> None:
    vectors = [{"statistics": {"token_count": it}} for it in (count, 3.0)]
    usage = embeddings_fields({"embeddings": vectors}).usage
    assert usage is not None
    assert usage.input_tokens == 3

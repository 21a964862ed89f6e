"""An instrumented Anthropic SDK in front of the scripted model."""

from __future__ import annotations

import pytest
from anthropic_calls import SDK
from stainless_calls import Sdk
from stainless_fixtures import (
    client,
    instrument,
    instrumented,
    lasting_loop,
    run,
    url,
    with_content,
)

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor

__all__ = ["client", "instrument", "instrumented", "lasting_loop", "run", "url", "with_content"]


@pytest.fixture
def sdk() -> Sdk:
    return SDK


@pytest.fixture
def instrumentor() -> type[AnthropicInstrumentor]:
    return AnthropicInstrumentor

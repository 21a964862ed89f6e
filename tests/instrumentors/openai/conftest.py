"""An instrumented OpenAI SDK in front of the scripted model."""

from __future__ import annotations

import pytest
from openai_calls import SDK
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

from otel_agents.instrumentors.openai import OpenAIInstrumentor

__all__ = ["client", "instrument", "instrumented", "lasting_loop", "run", "url", "with_content"]


@pytest.fixture
def sdk() -> Sdk:
    return SDK


@pytest.fixture
def instrumentor() -> type[OpenAIInstrumentor]:
    return OpenAIInstrumentor

"""An instrumented Groq SDK in front of the scripted model."""

from __future__ import annotations

import pytest
from groq_calls import SDK
from stainless_calls import Sdk
from stainless_fixtures import client, instrument, instrumented, lasting_loop, run, with_content

from otel_agents.instrumentors.groq import GroqInstrumentor
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["client", "instrument", "instrumented", "lasting_loop", "run", "with_content"]


@pytest.fixture
def sdk() -> Sdk:
    return SDK


@pytest.fixture
def url(model: ScriptedModel) -> str:
    return model.groq_url


@pytest.fixture
def instrumentor() -> type[GroqInstrumentor]:
    return GroqInstrumentor

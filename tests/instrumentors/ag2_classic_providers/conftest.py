"""Instrumented agents with other providers, each simulated by the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conversation_providers import PROVIDERS, Provider
from framework_fixtures import instrumented, pytest_itemcollected, pytest_unconfigure

from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["instrumented", "pytest_itemcollected", "pytest_unconfigure"]


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument AutoGen and OpenAI's SDK."""
    with instrumenting(emission, AG2ClassicInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        for name in ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "GOOGLE_GEMINI_BASE_URL"):
            monkeypatch.setenv(name, model.base_url)
        monkeypatch.setenv("CEREBRAS_BASE_URL", model.base_url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "none")
        yield model

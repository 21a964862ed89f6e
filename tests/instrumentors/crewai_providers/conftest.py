"""The providers for which CrewAI has its own classes, each served by the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from crew_fixtures import crewai_alone, instrumented, pytest_itemcollected, pytest_unconfigure
from crew_providers import PROVIDERS, Provider

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
from otel_agents.instrumentors.bedrock import BedrockInstrumentor
from otel_agents.instrumentors.crewai import CrewAIInstrumentor
from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["crewai_alone", "instrumented", "pytest_itemcollected", "pytest_unconfigure"]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument CrewAI, LiteLLM and the SDKs."""
    sdks = (
        AnthropicInstrumentor(),
        BedrockInstrumentor(),
        GoogleGenAIInstrumentor(),
        OpenAIInstrumentor(),
    )
    layers = CrewAIInstrumentor(), LiteLLMInstrumentor()
    with instrumenting(emission, *layers, *sdks) as instrument:
        yield instrument


@pytest.fixture(params=[True, False], ids=["sdk", "alone"])
def sdk(request: pytest.FixtureRequest) -> bool:
    """Return whether the SDK below CrewAI is instrumented too."""
    return request.param


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    retry: Any = import_module("crewai.llms.retry")
    monkeypatch.setattr(retry, "_LLM_RATE_LIMIT_INITIAL_DELAY_SECONDS", 0.001)
    with ScriptedModel() as model:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", model.base_url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
        yield model

"""The providers for which CrewAI has its own classes, each served by the scripted model."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from crew_fixtures import (
    crewai_alone,
    instrument,
    instrumented,
    pytest_itemcollected,
    pytest_unconfigure,
)
from crew_providers import PROVIDERS, Provider

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = [
    "crewai_alone",
    "instrument",
    "instrumented",
    "pytest_itemcollected",
    "pytest_unconfigure",
]


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

"""Instrumented swarms in front of the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from framework_fixtures import (
    instrumented,
    pytest_itemcollected,
    pytest_unconfigure,
    with_content,
)

from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.swarm import SwarmInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["instrumented", "pytest_itemcollected", "pytest_unconfigure", "with_content"]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument the framework and the SDK."""
    with instrumenting(emission, SwarmInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[Any]:
    """Return a swarm."""
    openai: Any = import_module("openai")
    swarm: Any = import_module("swarm")
    with openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=0) as sdk:
        yield swarm.Swarm(sdk)

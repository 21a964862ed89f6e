"""Fixtures for all that runs crews, each for a conftest to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from emission import Emission
from framework_fixtures import collected, instrumented, instrumenting, pytest_itemcollected

from otel_agents.instrumentors.crewai import CrewAIInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor

__all__ = ["collected", "crewai_alone", "instrument", "instrumented", "pytest_itemcollected"]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instruments CrewAI and what it asks models through."""
    below = LiteLLMInstrumentor(), OpenAIInstrumentor()
    with instrumenting(emission, CrewAIInstrumentor(), *below) as instrument:
        yield instrument


@pytest.fixture
def crewai_alone(instrument: Callable[..., None]) -> None:
    """Instruments nothing but CrewAI."""
    instrument(sdk=False)

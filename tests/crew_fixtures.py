"""Fixtures for tests that run crews, each for a conftest to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from framework_fixtures import instrumented, pytest_itemcollected, pytest_unconfigure

from otel_agents.instrumentors.crewai import CrewAIInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting

__all__ = [
    "conversations",
    "crewai_alone",
    "instrument",
    "instrumented",
    "pytest_itemcollected",
    "pytest_unconfigure",
]

_ID = "gen_ai.conversation.id"


def conversations(emission: Emission) -> list[Any]:
    """Return name and conversation of the spans that have one."""
    return sorted(
        (span.name, (span.attributes or {})[_ID])
        for span in emission.spans
        if _ID in (span.attributes or {})
    )


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument CrewAI and the layers below it."""
    below = LiteLLMInstrumentor(), OpenAIInstrumentor()
    with instrumenting(emission, CrewAIInstrumentor(), *below) as instrument:
        yield instrument


@pytest.fixture
def crewai_alone(instrument: Callable[..., None]) -> None:
    """Instrument only CrewAI."""
    instrument(sdk=False)

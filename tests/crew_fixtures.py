"""Fixtures for all that runs crews, each for a conftest to import."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator

import pytest
from emission import Emission

from otel_agents.instrumentors.crewai import CrewAIInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings

__all__ = ["collected", "crewai_alone", "instrument", "instrumented", "pytest_itemcollected"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let CrewAI warn of itself, as it does in every version; we may not."""
    item.add_marker(pytest.mark.filterwarnings("ignore", r"error:::otel_agents\..*"))


@pytest.fixture(scope="session", autouse=True)
def collected() -> Iterator[None]:
    """Collects, in the end, the loops and sockets that CrewAI has left open."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instruments CrewAI and what it asks models through, with these variables' settings.

    ``alone``: CrewAI only.
    """
    instrumentors = [CrewAIInstrumentor(), LiteLLMInstrumentor(), OpenAIInstrumentor()]

    def instrumenting(*, alone: bool = False, **environ: str) -> None:
        for instrumentor in instrumentors[: 1 if alone else None]:
            instrumentor.instrument(
                **emission.providers, settings=Settings.read(environ), skip_dep_check=False
            )

    yield instrumenting
    for instrumentor in instrumentors:
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


@pytest.fixture
def instrumented(instrument: Callable[..., None]) -> None:
    """Instruments with the defaults."""
    instrument()


@pytest.fixture
def crewai_alone(instrument: Callable[..., None]) -> None:
    """Instruments nothing but CrewAI."""
    instrument(alone=True)

"""Pydantic AI in front of the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pydantic_ai_runs as runs
import pytest
from framework_fixtures import (
    instrumented,
    pytest_itemcollected,
    pytest_unconfigure,
    with_content,
)
from native_conflicts import conflict
from native_laws import Way, native, process_emission

from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.pydantic_ai import PydanticAIInstrumentor
from otel_agents.semconv.conformance import Finding
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = [
    "conflict",
    "instrumented",
    "native",
    "process_emission",
    "pytest_itemcollected",
    "pytest_unconfigure",
    "with_content",
]


@pytest.fixture
def library() -> type[PydanticAIInstrumentor]:
    """Return the library's instrumentor."""
    return PydanticAIInstrumentor


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument the framework and the SDK."""
    with instrumenting(emission, PydanticAIInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own spans are not checked against the conventions before they leave."""

    def nothing(emission: Emission) -> list[Finding]:
        return []

    monkeypatch.setattr("otel_agents.testing.plugin.findings_of", nothing)


@pytest.fixture(autouse=True)
def scripted(model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that an agent names are the scripted one."""
    monkeypatch.setenv("OPENAI_BASE_URL", model.openai_url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")


@pytest.fixture
def agent(scripted: None) -> Any:
    """Return an agent with a tool, whose application says nothing of telemetry."""
    from pydantic_ai import Agent

    agent: Any = Agent("openai:gpt-4o-mini", name="weather")

    @agent.tool_plain
    def get_weather(city: str) -> str:  # pyright: ignore[reportUnusedFunction]
        """Get the weather of a city."""
        return f"sunny in {city}"

    return agent


@pytest.fixture(params=runs.WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Return a way to run an agent."""
    return runs.WAYS[request.param]

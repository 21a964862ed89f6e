"""Instrumented model clients of AutoGen in front of the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from autogen_fixtures import balanced, instrumented

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
from otel_agents.instrumentors.autogen import AutoGenInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting

__all__ = ["balanced", "instrumented"]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument AutoGen and the SDKs."""
    sdks = AnthropicInstrumentor(), OpenAIInstrumentor()
    with instrumenting(emission, AutoGenInstrumentor(), *sdks) as instrument:
        yield instrument

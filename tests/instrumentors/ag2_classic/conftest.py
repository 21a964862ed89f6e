"""Instrumented agents in front of the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conversations import OLDEST
from framework_fixtures import (
    instrumented,
    pytest_itemcollected,
    pytest_unconfigure,
)

from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting

__all__ = ["instrumented", "pytest_itemcollected", "pytest_unconfigure"]

_NEWER = ("flat", "groups", "guardrails", "runs", "native_telemetry")
collect_ignore = [f"test_classic_{name}.py" for name in (_NEWER if OLDEST else ())]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument AutoGen and the SDK."""
    with instrumenting(emission, AG2ClassicInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument

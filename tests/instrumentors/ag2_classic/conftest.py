"""Instrumented agents in front of the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from conversations import autogen
from emission import Emission
from framework_fixtures import (
    collected,
    instrumented,
    instrumenting,
    pytest_itemcollected,
)

from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor

__all__ = ["collected", "instrumented", "pytest_itemcollected"]

OLDEST = autogen.__version__.startswith("0.2.")
_NEWER = ("groups", "runs", "own")
collect_ignore = [f"test_classic_{name}.py" for name in (_NEWER if OLDEST else ())]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instruments AutoGen and the SDK."""
    with instrumenting(emission, AG2ClassicInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument

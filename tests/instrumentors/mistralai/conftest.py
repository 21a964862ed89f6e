"""An instrumented Mistral SDK in front of the scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from framework_fixtures import (
    instrument,
    instrumented,
    lasting_loop,
    pytest_itemcollected,
    pytest_unconfigure,
    with_content,
)
from mistral_calls import connect

from otel_agents.instrumentors.mistralai import MistralAIInstrumentor
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = [
    "instrument",
    "instrumented",
    "lasting_loop",
    "pytest_itemcollected",
    "pytest_unconfigure",
    "with_content",
]


@pytest.fixture
def client(model: ScriptedModel) -> Any:
    return connect(model.mistral_url)


@pytest.fixture
def run(client: Any) -> Callable[..., Any]:
    """Run ``function(client)`` in an event loop of its own."""

    def running(function: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        return asyncio.run(function(client))

    return running


@pytest.fixture
def instrumentor() -> type[MistralAIInstrumentor]:
    return MistralAIInstrumentor

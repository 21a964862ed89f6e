"""An instrumented client of Google's SDK in front of the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
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
from google import genai
from google_calls import connected, run_async

from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor
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
def client(model: ScriptedModel) -> Iterator[genai.Client]:
    with connected(model.base_url) as client:
        yield client


@pytest.fixture
def vertex(model: ScriptedModel) -> Iterator[genai.Client]:
    with connected(model.base_url, vertexai=True) as client:
        yield client


@pytest.fixture
def run(model: ScriptedModel) -> Callable[..., Any]:
    """Run ``function(client)`` with an async client, in an event loop of its own."""

    def running(function: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
        return run_async(model.base_url, function)

    return running


@pytest.fixture
def instrumentor() -> type[GoogleGenAIInstrumentor]:
    return GoogleGenAIInstrumentor

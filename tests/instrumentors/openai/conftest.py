"""An instrumented OpenAI SDK in front of the scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import openai
import pytest
from framework_fixtures import instrumented, lasting_loop

from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["instrumented", "lasting_loop"]

_Result = TypeVar("_Result")

VERSION = tuple(int(part) for part in openai.__version__.split(".")[:2])


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def run(model: ScriptedModel) -> Callable[..., Any]:
    """Run ``function(client)`` with an async client, in an event loop of its own."""

    def running(function: Callable[[openai.AsyncOpenAI], Coroutine[Any, Any, _Result]]) -> _Result:
        async def main() -> _Result:
            url = model.openai_url
            async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
                return await function(client)

        return asyncio.run(main())

    return running


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    with instrumenting(emission, OpenAIInstrumentor()) as instrument:
        yield instrument


@pytest.fixture
def with_content(instrument: Callable[..., None]) -> None:
    """Instrument with content on spans."""
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")

"""An instrumented Anthropic SDK in front of the scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import anthropic
import pytest
from framework_fixtures import instrumented, lasting_loop

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["instrumented", "lasting_loop"]

_Result = TypeVar("_Result")


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=model.base_url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def run(model: ScriptedModel) -> Callable[..., Any]:
    """Run ``function(client)`` with an async client, in an event loop of its own."""

    def running(
        function: Callable[[anthropic.AsyncAnthropic], Coroutine[Any, Any, _Result]],
    ) -> _Result:
        async def main() -> _Result:
            async with anthropic.AsyncAnthropic(
                base_url=model.base_url, api_key="none", max_retries=0
            ) as client:
                return await function(client)

        return asyncio.run(main())

    return running


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    with instrumenting(emission, AnthropicInstrumentor()) as instrument:
        yield instrument


@pytest.fixture
def with_content(instrument: Callable[..., None]) -> None:
    """Instrument with content on spans."""
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")

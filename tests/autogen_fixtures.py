"""Fixtures for tests that run agents of AutoGen, each for a conftest to import."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from typing import Any

import pytest
from framework_fixtures import instrumented

from otel_agents.instrumentors.autogen import AutoGenInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["balanced", "client", "instrument", "instrumented", "run"]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument AutoGen and the SDK."""
    with instrumenting(emission, AutoGenInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument


@pytest.fixture
def client(model: ScriptedModel) -> Any:
    """Return a model client that agents may share."""
    clients: Any = import_module("autogen_ext.models.openai")
    return clients.OpenAIChatCompletionClient(
        model="gpt-4o-mini",
        base_url=model.openai_url,
        api_key="none",
        stream_options={"include_usage": True},
    )


@pytest.fixture
def run(client: Any) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Return a function that runs a coroutine, then closes the client in the same loop."""

    async def closing(work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return await work
        finally:
            await client._client.close()

    return lambda work: asyncio.run(closing(work))


@pytest.fixture
def balanced(model: ScriptedModel, emission: Emission) -> Callable[[], None]:
    """Return a check that the model's spans are what was served."""

    def check() -> None:
        spans = [s for s in emission.spans if s.name.startswith("chat")]
        recorded: list[Any] = [
            (
                (s.attributes or {}).get("gen_ai.usage.input_tokens"),
                (s.attributes or {}).get("gen_ai.usage.output_tokens"),
            )
            for s in spans
        ]
        served = [(entry.input_tokens, entry.output_tokens) for entry in model.ledger.entries]
        assert sorted(recorded) == sorted(served)

    return check

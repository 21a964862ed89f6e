"""An instrumented LiteLLM in front of the scripted model."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import warnings
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from framework_fixtures import lasting_loop, pytest_itemcollected

from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import fetches the price list
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from litellm_calls import VERSION, litellm

from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor

__all__ = ["lasting_loop", "pytest_itemcollected"]

litellm.suppress_debug_info = True
_LATER = ("custom", "flat", "left", "messages", "prices", "rust", "usage")
"""Tests of what the oldest version does not have, or leaves out, such as the usage of its own streams."""
collect_ignore = [f"test_litellm_{name}.py" for name in _LATER if VERSION < (1, 110)]


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[..., Any]]:
    """Run a coroutine function, always in the same loop: LiteLLM caches its async clients."""
    loop = asyncio.new_event_loop()

    def running(function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return loop.run_until_complete(function())

    yield running
    loop.run_until_complete(_close_clients())
    loop.close()
    gc.collect()


async def _close_clients() -> None:
    cached: Any = litellm.in_memory_llm_clients_cache.cache_dict
    for client in (*cached.values(), litellm.module_level_aclient):
        closing = client.close()
        if inspect.isawaitable(closing):
            await closing


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument LiteLLM and the SDK."""
    with instrumenting(emission, LiteLLMInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument


@pytest.fixture(params=["openai on", "openai off"])
def instrumented(request: pytest.FixtureRequest, instrument: Callable[..., None]) -> None:
    """Instrument LiteLLM, with and without the SDK below it."""
    instrument(sdk=request.param == "openai on")

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
from emission import Emission

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import fetches the price list
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from litellm_calls import VERSION, litellm

from otel_agents.distro.scripted_model import ScriptedModel
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.settings import Settings

litellm.suppress_debug_info = True
_LATER = ("rust", "messages", "usage")
"""What the oldest version lacks: it leaves out what a stream of its own says of its usage."""
collect_ignore = [f"test_litellm_{name}.py" for name in _LATER if VERSION < (1, 110)]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let LiteLLM warn of itself, as it does in every version; we may not."""
    item.add_marker(pytest.mark.filterwarnings("ignore", r"error:::otel_agents\..*"))


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[..., Any]]:
    """Runs a coroutine function; all in one loop, as LiteLLM keeps its asynchronous clients."""
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
    """Instruments LiteLLM with the settings of these variables, and openai if it is asked for."""
    instrumentors = [LiteLLMInstrumentor(), OpenAIInstrumentor()]

    def instrumenting(*, sdk: bool = True, **environ: str) -> None:
        for instrumentor in instrumentors if sdk else instrumentors[:1]:
            instrumentor.instrument(**emission.providers, settings=Settings.read(environ))

    yield instrumenting
    for instrumentor in instrumentors:
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


@pytest.fixture(params=["openai on", "openai off"])
def instrumented(request: pytest.FixtureRequest, instrument: Callable[..., None]) -> None:
    """Instruments LiteLLM, with the SDK below it visible and invisible."""
    instrument(sdk=request.param == "openai on")

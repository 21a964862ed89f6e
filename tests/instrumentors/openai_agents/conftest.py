"""Instrumented agents of OpenAI's Agents SDK in front of the scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from framework_fixtures import (
    check_nothing_left,
    instrumented,
    lasting_loop,
    pytest_itemcollected,
    pytest_unconfigure,
    with_content,
)
from openai_agents_runs import VERSION, agents
from packaging.version import Version

from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.openai_agents import OpenAIAgentsInstrumentor
from otel_agents.instrumentors.openai_agents._frames import RUNS
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = [
    "instrumented",
    "lasting_loop",
    "pytest_itemcollected",
    "pytest_unconfigure",
    "with_content",
]

_SINCE = {"approvals": "0.8", "native": "0.8", "websocket_models": "0.10"}
"""The first version with what a test needs."""
collect_ignore = [
    f"test_agents_{name}.py" for name, since in _SINCE.items() if Version(since) > VERSION
]
if find_spec("litellm") is None:
    collect_ignore.append("test_agents_litellm.py")


@pytest.fixture(autouse=True)
def no_exporter() -> None:
    """Leave the SDK without processors, as an application does that replaces OpenAI's exporter."""
    agents.set_trace_processors([])


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Check that nothing is in progress or current after a test."""
    yield
    check_nothing_left(RUNS)


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument the framework and the SDK."""
    with instrumenting(emission, OpenAIAgentsInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument


@pytest.fixture
def run(model: ScriptedModel) -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Return a function that runs a coroutine with a client of its own, closed in its loop."""
    openai: Any = import_module("openai")

    async def closing(work: Coroutine[Any, Any, Any]) -> Any:
        async with openai.AsyncOpenAI(
            base_url=model.openai_url, api_key="none", max_retries=0
        ) as client:
            agents.set_default_openai_client(client, use_for_tracing=False)
            return await work

    return lambda work: asyncio.run(closing(work))


@pytest.fixture
def balanced(model: ScriptedModel, emission: Emission) -> Callable[[], None]:
    """Return a check that the model's spans are what was served."""

    def check() -> None:
        spans = [s.attributes or {} for s in emission.spans if s.name.startswith("chat")]
        names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
        recorded = [tuple(attributes.get(name) for name in names) for attributes in spans]
        served = [(entry.input_tokens, entry.output_tokens) for entry in model.ledger.entries]
        assert sorted(map(repr, recorded)) == sorted(map(repr, served))

    return check

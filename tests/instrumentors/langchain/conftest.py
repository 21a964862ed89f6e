"""LangChain and LangGraph in front of the scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from framework_fixtures import (
    check_nothing_left,
    instrumented,
    lasting_loop,
    pytest_itemcollected,
    pytest_unconfigure,
    with_content,
)
from langchain_openai import ChatOpenAI

from otel_agents.instrumentors.langchain import LangChainInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
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


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument LangChain and the SDK."""
    with instrumenting(emission, LangChainInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Check that a test leaves no run in the table and no span in the context."""
    from otel_agents.instrumentors.langchain._runs import RUNS

    yield
    check_nothing_left(RUNS)


@pytest.fixture
def llm(model: ScriptedModel) -> ChatOpenAI:
    """Return a chat model that sends to the scripted one."""
    from langchain_graphs import chat

    return chat(model)


@pytest.fixture
def loop(lasting_loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    """Return the one event loop of a test: LangChain's clients are shared."""
    return lasting_loop

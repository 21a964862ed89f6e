"""LlamaIndex in front of the scripted model."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterator
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
from packaging.version import Version

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors.llama_index import LlamaIndexInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of packages that LlamaIndex imports
    import llama_index_parts

__all__ = [
    "instrumented",
    "lasting_loop",
    "pytest_itemcollected",
    "pytest_unconfigure",
    "with_content",
]

_OLDEST = Version("0.11") > llama_index_parts.CORE
_RUNS = ("agents", "conversations", "predictions", "workflows")
_IGNORED = _RUNS if _OLDEST else ("runners",)
collect_ignore = [f"test_llama_index_{name}.py" for name in _IGNORED]
"""Agents are workflows, which the oldest version does not have, nor most of structured prediction."""


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument LlamaIndex and the SDK."""
    with instrumenting(emission, LlamaIndexInstrumentor(), OpenAIInstrumentor()) as instrument:
        yield instrument


@pytest.fixture(autouse=True)
def no_failure(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Check that no handler of ours has failed: the dispatcher hides what a handler raises."""
    failed: list[str] = []
    original = errors.internal_error

    def internal_error(action: str) -> None:
        failed.append(action)
        original(action)

    monkeypatch.setattr(errors, "internal_error", internal_error)
    yield
    assert failed == []


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Check that a test leaves no work in the table and no span in the context."""
    from otel_agents.instrumentors.llama_index._work import RUNS

    yield
    check_nothing_left(RUNS)


@pytest.fixture
def llm(model: ScriptedModel) -> Any:
    """Return a model class that sends to the scripted model."""
    return llama_index_parts.chat(model)


@pytest.fixture
def run(lasting_loop: asyncio.AbstractEventLoop) -> Callable[[Callable[[], Any]], Any]:
    """Return what runs a coroutine function in the loop of the test."""
    return lambda main: lasting_loop.run_until_complete(main())


@pytest.fixture
def loop(lasting_loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    """Return the one event loop of a test: the SDK's clients are shared."""
    return lasting_loop

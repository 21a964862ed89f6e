"""DSPy in front of the scripted model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any, Final

import pytest
from framework_fixtures import (
    instrumented,
    pytest_itemcollected,
    pytest_unconfigure,
    with_content,
)
from opentelemetry import trace
from packaging.version import Version

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from dspy_programs import VERSION, dspy, lm, workers

from otel_agents.instrumentors.dspy import DSPyInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["instrumented", "pytest_itemcollected", "pytest_unconfigure", "with_content"]

_LATER = MappingProxyType({"agents": "3", "engines": "3.4", "trials": "3"})
"""Tests of what came with later versions."""
_ENDED: Final = 30
"""Seconds until a thread that streams a program has ended."""
collect_ignore = [
    f"test_dspy_{name}.py" for name, since in _LATER.items() if Version(since) > VERSION
]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument DSPy and what it sends over."""
    others = (LiteLLMInstrumentor(), OpenAIInstrumentor())
    with instrumenting(emission, DSPyInstrumentor(), *others) as instrument:
        yield instrument


@pytest.fixture(autouse=True)
def configured(model: ScriptedModel) -> Iterator[Any]:
    """Configure the language model of all programs; check that nothing stays current or waits."""
    found = lm(model)
    dspy.configure(lm=found)
    yield found
    assert not trace.get_current_span().get_span_context().is_valid
    for thread in workers():
        thread.join(_ENDED)
        assert not thread.is_alive(), "the process would never end"

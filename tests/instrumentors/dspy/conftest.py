"""DSPy in front of the scripted model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

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
    from dspy_programs import VERSION, dspy, lm

from otel_agents.instrumentors.dspy import DSPyInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["instrumented", "pytest_itemcollected", "pytest_unconfigure", "with_content"]

_LATER = ("engines", "optimizers", "agents")
"""Tests of what the oldest version does not have."""
collect_ignore = [f"test_dspy_{name}.py" for name in _LATER if Version("3.4") > VERSION]


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument DSPy and what it sends over."""
    others = (LiteLLMInstrumentor(), OpenAIInstrumentor())
    with instrumenting(emission, DSPyInstrumentor(), *others) as instrument:
        yield instrument


@pytest.fixture(autouse=True)
def configured(model: ScriptedModel) -> Iterator[Any]:
    """Configure the language model of all programs; check that nothing stays current."""
    found = lm(model)
    dspy.configure(lm=found)
    yield found
    assert not trace.get_current_span().get_span_context().is_valid

"""The application's model class, pickled and run in another process, as Ray and Dask do."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

cloudpickle: Any = pytest.importorskip("cloudpickle", reason="the newest environment has it")
pickled: Any = import_module("pickled")

INSTRUMENTED = """
    from otel_agents.instrumentors.crewai import CrewAIInstrumentor
    from otel_agents.testing.emission import Emission

    emission = Emission()
    CrewAIInstrumentor().instrument(**emission.providers)
"""
CALLED = "print(value(model='m').call([{'role': 'user', 'content': 'hi'}]))\n"


def model_class() -> type[Any]:
    base: Any = import_module("crewai.llms.base_llm").BaseLLM

    class Mine(base):
        def call(self, messages: Any, *arguments: Any, **options: Any) -> str:
            return f"{len(messages)} messages"

    return Mine


def test_it_is_the_original_there_and_recorded_once_if_instrumented(
    instrument: Callable[..., None],
) -> None:
    instrument()
    sent = cloudpickle.dumps(model_class())
    assert pickled.read_without_us(sent, CALLED).splitlines()[-1] == "1 messages"
    program = CALLED + "print([span.name for span in emission.spans])"
    printed = pickled.read_with_us(sent, INSTRUMENTED, program)
    assert printed.splitlines()[-2:] == ["1 messages", "['chat m']"]


def test_a_class_pickled_before_is_recorded_once_if_instrumented() -> None:
    program = CALLED + "print([span.name for span in emission.spans])"
    printed = pickled.read_with_us(cloudpickle.dumps(model_class()), INSTRUMENTED, program)
    assert printed.splitlines()[-2:] == ["1 messages", "['chat m']"]

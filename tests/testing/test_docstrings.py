"""Each public class of the kit has an example in its docstring that runs."""

from __future__ import annotations

import inspect
from enum import Enum
from threading import Event
from types import ModuleType
from typing import Any

import openai
import pytest
from docstring_examples import example

from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing import emission, scripted_model
from otel_agents.testing.scripted_model import ScriptedModel


def public_classes(module: ModuleType) -> list[type]:
    """Return the classes in ``__all__``, without enumerations."""
    members = [getattr(module, name) for name in module.__all__]
    return [it for it in members if inspect.isclass(it) and not issubclass(it, Enum)]


def run(documented: type | ModuleType, **names: Any) -> None:
    exec(compile(example(documented), str(documented), "exec"), names)  # noqa: S102  our own docstring


def test_the_example_of_the_scripted_model_runs() -> None:
    run(scripted_model)


@pytest.mark.parametrize("documented", public_classes(scripted_model))
def test_an_example_of_the_scripted_model_runs(documented: type, model: ScriptedModel) -> None:
    names = {name: getattr(scripted_model, name) for name in scripted_model.__all__}
    with openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=0) as client:
        run(documented, **names, model=model, client=client, Event=Event, openai=openai)


@pytest.mark.parametrize("documented", public_classes(emission))
def test_an_example_of_an_emission_runs(documented: type) -> None:
    instrumentor = OpenAIInstrumentor()
    try:
        run(documented, **vars(emission), instrumentor=instrumentor)
    finally:
        instrumentor.uninstrument()

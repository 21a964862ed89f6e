"""Models by LiteLLM: one span for each response, whoever of the two layers below reports it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from openai_agents_runs import agents, assistant, finished, started, weather

from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.openai_agents import OpenAIAgentsInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ScriptedModel

extension: Any = import_module("agents.extensions.models.litellm_model")


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument all three."""
    chain = (OpenAIAgentsInstrumentor(), LiteLLMInstrumentor(), OpenAIInstrumentor())
    with instrumenting(emission, *chain) as instrument:
        yield instrument


@pytest.mark.parametrize("start", [finished, started])
@pytest.mark.parametrize("name", ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"])
@pytest.mark.usefixtures("instrumented")
def test_a_tool(
    run: Any,
    start: Any,
    name: str,
    emission: Emission,
    model: ScriptedModel,
    balanced: Callable[[], None],
) -> None:
    url = model.openai_url if name.startswith("openai") else model.base_url
    own = extension.LitellmModel(model=name, base_url=url, api_key="none")
    settings = agents.ModelSettings(include_usage=True)
    run(start(assistant(own=own, tools=[weather], model_settings=settings)))
    chat = f"chat {name.partition('/')[2]}"
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {chat}",
        "  execute_tool weather",
        f"  {chat}",
    ]
    assert emission.traces() == 1
    balanced()

"""No error in our code loses a span: a crew with a tool, and one whose request is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from crews import agent, crew, task, tool
from failing_hooks import check_failing_hooks

from otel_agents.instrumentors.crewai import CrewAIInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

BELOW = {"sdk on": (LiteLLMInstrumentor, OpenAIInstrumentor), "sdk off": ()}


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def uses_a_tool(model: ScriptedModel, llm: Any) -> Any:
    calls: Any = [ToolCall("weather", {"city": "Bern"})]
    model.script(Response(tool_calls=calls), Response("Thought: so.\nFinal Answer: it"))
    guide = agent(llm, "Guide", tools=[tool(weather)])
    return str(crew(task(guide)).kickoff(inputs={"a": "b"}))


def is_refused(model: ScriptedModel, llm: Any) -> Any:
    model.script_by(lambda request: Failure(401))
    try:
        crew(task(agent(llm, "Guide", max_retry_limit=0))).kickoff()
    except Exception as error:  # noqa: BLE001  of which each version has another class
        return type(error)


@pytest.mark.parametrize("converse", [uses_a_tool, is_refused])
@pytest.mark.parametrize("below", BELOW.values(), ids=BELOW)
def test_our_errors_lose_no_span(
    below: Any, converse: Callable[..., Any], model: ScriptedModel, llm: Any
) -> None:
    assert check_failing_hooks(CrewAIInstrumentor, lambda: converse(model, llm), *below) > 5

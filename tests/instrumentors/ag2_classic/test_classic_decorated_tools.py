"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from conversations import agent, executor, talk
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


@FUNCTIONS
@ORDERS
@pytest.mark.usefixtures("instrumented")
def test_it_is_recorded_once(
    order: str, function: Any, model: ScriptedModel, emission: Emission
) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        assistant, user = agent("assistant", model), executor()
        described = assistant.register_for_llm(name="weather", description="Tell the weather.")
        executed = user.register_for_execution(name="weather")

        def make(function: Any) -> Any:
            return executed(described(function))

        decorate(make)
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]))
        later = inspect.iscoroutinefunction(function)
        result = talk(user, assistant, max_turns=2, asynchronous=later)
        return assistant.llm_config["tools"], result.chat_history

    check_decorated(order, function, offer, emission)

"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

from typing import Any

import pytest
from crews import agent, crew, task, tool
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(
    order: str, function: Any, llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(tool)
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]), "done")
        crew(task(agent(llm, "Writer", tools=[made]))).kickoff()
        facts = made.name, made.description, made.args_schema.model_json_schema()
        return facts, model.ledger.entries[-1].body["messages"]

    check_decorated(order, function, offer, emission)

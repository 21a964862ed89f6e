"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

from typing import Any

import strands
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from native_emission import NativeEmission
from strands_runs import agent

from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


@FUNCTIONS
@ORDERS
def test_it_is_recorded_by_the_library_alone(
    order: str, function: Any, native: NativeEmission, model: ScriptedModel
) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(vars(strands)["tool"])
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]), Response("fine"))
        agent(model, tools=[made])("How is the weather in Bern?")
        return made.tool_spec, model.ledger.entries[-1].body["messages"]

    check_decorated(order, function, offer, native)

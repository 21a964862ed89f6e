"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from google.adk.tools.function_tool import FunctionTool
from google_adk_runs import litellm, run
from native_emission import NativeEmission

from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


def _plain(function: Any) -> Any:
    return function


@FUNCTIONS
@ORDERS
@pytest.mark.parametrize("make", [FunctionTool, _plain], ids=["tool", "function"])
def test_it_is_recorded_by_the_library_alone(
    make: Any, order: str, function: Any, native: NativeEmission, model: ScriptedModel
) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(make)
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]), Response("fine"))
        asyncio.run(run(litellm(model), "NONE", tools=[made]))
        first, second = model.ledger.entries[-2:]
        return first.body["tools"], second.body["messages"]

    check_decorated(order, function, offer, native)

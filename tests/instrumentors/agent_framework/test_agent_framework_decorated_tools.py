"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest
from agent_framework.openai import OpenAIChatCompletionClient
from agent_framework_runs import agent
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from native_emission import NativeEmission

from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


@FUNCTIONS
@ORDERS
@pytest.mark.parametrize("by", ["tool", "function"])
def test_it_is_recorded_by_the_library_alone(
    by: str, order: str, function: Any, native: NativeEmission, model: ScriptedModel
) -> None:
    tool: Any = getattr(import_module("agent_framework"), "tool")  # noqa: B009  lazy, and untyped

    def plain(function: Any) -> Any:
        return function

    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(tool if by == "tool" else plain)
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]), Response("fine"))
        of = agent(model, OpenAIChatCompletionClient, tools=[made])
        asyncio.run(of.run("How is the weather in Bern?"))
        first, second = model.ledger.entries[-2:]
        return first.body["tools"], second.body["messages"]

    check_decorated(order, function, offer, native)

"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from langchain_core.tools import tool
from langchain_graphs import LANGGRAPH, agent, chat
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(order: str, function: Any, emission: Emission) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(tool)
        later = inspect.iscoroutinefunction(function)
        result = asyncio.run(made.ainvoke(CITY)) if later else made.invoke(CITY)
        return (made.name, made.description, made.args), result

    check_decorated(order, function, offer, emission)


def _plain(function: Any) -> Any:
    """Make a tool, which is the function itself."""
    return function


@FUNCTIONS
@ORDERS
@pytest.mark.parametrize("make", [tool, _plain], ids=["tool", "function"])
@pytest.mark.skipif(Version("0") == LANGGRAPH, reason="has no graphs")
def test_it_is_recorded_once_in_a_graph(
    make: Any,
    order: str,
    function: Any,
    model: ScriptedModel,
    emission: Emission,
    lasting_loop: asyncio.AbstractEventLoop,
) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        of = agent(chat(model), "planner", tools=[decorate(make)])
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]), Response("fine"))
        messages = {"messages": [("user", "How is the weather?")]}
        if inspect.iscoroutinefunction(function):
            lasting_loop.run_until_complete(of.ainvoke(messages))
        else:
            of.invoke(messages)
        first, second = model.ledger.entries[-2:]
        return first.body["tools"], second.body["messages"]

    check_decorated(order, function, offer, emission)

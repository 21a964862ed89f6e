"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = [
    pytest.mark.usefixtures("instrumented", "scripted"),
    pytest.mark.skipif(
        Version(version("pydantic-ai-slim")) < Version("0.0.34"),
        reason="each agent decides, by an argument",
    ),
]


@FUNCTIONS
@ORDERS
def test_it_is_recorded_by_the_library_alone(
    order: str, function: Any, model: ScriptedModel, emission: Emission
) -> None:
    kind: Any = import_module("pydantic_ai").Agent

    def offer(decorate: Any) -> tuple[Any, Any]:
        agent = kind("openai:gpt-4o-mini", name="planner")
        decorate(agent.tool_plain)
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]), Response("fine"))
        agent.run_sync("How is the weather in Bern?")
        first, second = model.ledger.entries[-2:]
        return first.body["tools"], second.body

    try:
        check_decorated(order, function, offer, emission)
    finally:
        kind.instrument_all(False)

"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
from decorated_tools import FUNCTIONS, ORDERS
from packaging.version import Version

from otel_agents import api
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
    api.configure(**emission.providers)

    def offered_and_called(decorate: Any) -> tuple[Any, int]:
        agent = kind("openai:gpt-4o-mini", name="planner")
        decorate(agent)
        call = ToolCall("weather", {"city": "Bern"})
        model.script(Response(tool_calls=[call]), Response("fine"))
        before = len(emission.spans)
        agent.run_sync("How is the weather in Bern?")
        named = [(span.attributes or {}).get("gen_ai.tool.name") for span in emission.spans]
        request = model.ledger.entries[-2].body
        return request["tools"], named[before:].count("weather")

    def plainly(agent: Any) -> None:
        agent.tool_plain(function)

    def ours(agent: Any) -> None:
        if order == "ours-inside":
            agent.tool_plain(api.tool("weather")(function))
        else:
            api.tool("weather")(agent.tool_plain(function))

    try:
        plain = offered_and_called(plainly)
        assert offered_and_called(ours) == plain
        assert plain[1] == 1
    finally:
        api.configure()
        kind.instrument_all(False)

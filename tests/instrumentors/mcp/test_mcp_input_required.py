"""Protocol 2026-07-28: a result that requires an input of the client, and the request again."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from mcp_peers import connected
from mcp_server import SECRET, lowlevel, weather_server
from opentelemetry.context import attach, detach

from otel_agents.instrumentors import ExecuteTool, Telemetry
from otel_agents.testing.emission import Emission

types: Any = import_module("mcp.types")
CALL = "tools/call weather"


@pytest.mark.parametrize("in_a_tool", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_an_input_of_the_human(in_a_tool: bool, run: Any, emission: Emission) -> None:
    """It is a step between two requests of the same call, which is one call of a tool."""
    tool = ExecuteTool(Telemetry("framework", **emission.providers), "weather")
    server = weather_server()
    handlers = lowlevel(server)._request_handlers
    entry = handlers["tools/call"]

    async def handle(context: Any, params: Any) -> Any:
        if params.input_responses:
            return await entry.handler(context, params)
        schema = {"type": "object", "properties": {"city": {"type": "string"}}}
        form = types.ElicitRequestFormParams(message=SECRET, requested_schema=schema)
        request = types.ElicitRequest(params=form)
        return types.InputRequiredResult(input_requests={"city": request}, request_state="s")

    handlers["tools/call"] = type(entry)(entry.params_type, handle)

    async def human(context: Any, params: Any) -> Any:
        return types.ElicitResult(action="accept", content={"city": SECRET})

    async def use() -> str:
        async with connected(server, "auto", elicitation_callback=human) as session:
            token = attach(tool.context) if in_a_tool else None
            result = await session.call_tool("weather", {"city": "Bern"})
            if token is not None:
                detach(token)
            return result.content[0].text

    assert run(use()) == "sunny in Bern"
    tool.end() if in_a_tool else tool.discard()
    tree = [line for line in emission.tree() if "discover" not in line and "list" not in line]
    plain = [CALL, f"  {CALL}", "human_input", CALL, f"  {CALL}"]
    of_a_tool = ["execute_tool weather", f"  {CALL}", "  human_input", f"  {CALL}"]
    assert tree == (of_a_tool if in_a_tool else plain)
    assert SECRET not in emission.texts()

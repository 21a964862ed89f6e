"""A tool of an MCP server in another process: one trace."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from mcp_crossing import crossing
from openai_agents_runs import VERSION, agents
from packaging.version import Version

from otel_agents.instrumentors.mcp import McpInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.openai_agents import OpenAIAgentsInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel, ToolCall


@pytest.mark.parametrize("server_name", [None, "shop", "shop of weather for travellers " * 3])
def test_one_trace_into_the_servers_process(
    server_name: str | None, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    """Also where the SDK puts the server before the tool's name, or a hash after it."""
    if server_name and Version("0.20") > VERSION:
        pytest.skip("this version has no prefixes")
    mcp: Any = import_module("agents.mcp")
    offered: list[str] = []

    def react(request: ModelRequest) -> Response:
        offered.append(request.tools[0].name)
        call = ToolCall(offered[0], {"city": "Bern"})
        return Response(tool_calls=[call]) if len(offered) == 1 else Response("Sunny.")

    model.script_by(react)
    config = {"mcp_config": {"include_server_in_tool_names": True}} if server_name else {}
    instrumentors = (OpenAIAgentsInstrumentor(), OpenAIInstrumentor(), McpInstrumentor())
    with crossing() as server, instrumenting(emission, *instrumentors) as instrument:
        instrument()
        parameters = {
            "command": server.command,
            "args": server.arguments,
            "env": server.environ,
        }

        async def use() -> None:
            async with mcp.MCPServerStdio(
                params=parameters, name=server_name, client_session_timeout_seconds=60
            ) as connected:
                agent = agents.Agent(
                    name="Guide", model="gpt-4o-mini", mcp_servers=[connected], **config
                )
                await agents.Runner.run(agent, "Weather?")

        run(use())
        server.check(emission, offered[0])
    assert (offered[0] == "weather") is (server_name is None)

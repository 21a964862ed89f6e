"""A tool of an MCP server in another process: one trace."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mcp_crossing import crossing
from openai_agents_runs import agents

from otel_agents.instrumentors.mcp import McpInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.instrumentors.openai_agents import OpenAIAgentsInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


def test_one_trace_into_the_servers_process(
    run: Any, model: ScriptedModel, emission: Emission
) -> None:
    mcp: Any = import_module("agents.mcp")
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]), Response("Sunny."))
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
                params=parameters, client_session_timeout_seconds=60
            ) as connected:
                agent = agents.Agent(name="Guide", model="gpt-4o-mini", mcp_servers=[connected])
                await agents.Runner.run(agent, "Weather?")

        run(use())
        server.check(emission, "weather")

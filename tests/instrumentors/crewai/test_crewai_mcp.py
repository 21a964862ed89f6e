"""A tool of an MCP server in another process: one trace."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from crews import agent, crew, task
from mcp_crossing import crossing

from otel_agents.instrumentors.crewai import CrewAIInstrumentor
from otel_agents.instrumentors.mcp import McpInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel, ToolCall


def test_one_trace_into_the_servers_process(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    servers: Any = import_module("crewai.mcp")
    offered: list[str] = []

    def react(request: ModelRequest) -> Response:
        offered.append(request.tools[0].name)  # CrewAI shortens it to a hash
        call = ToolCall(offered[0], {"city": "Bern"})
        return Response(tool_calls=[call]) if len(offered) == 1 else Response("Sunny.")

    model.script_by(react)
    instrumentors = (CrewAIInstrumentor(), OpenAIInstrumentor(), McpInstrumentor())
    with crossing() as server, instrumenting(emission, *instrumentors) as instrument:
        instrument()
        program = servers.MCPServerStdio(
            command=server.command, args=server.arguments, env=server.environ
        )
        crew(task(agent(llm, "Writer", mcps=[program]))).kickoff()
        server.check(emission, offered[0])

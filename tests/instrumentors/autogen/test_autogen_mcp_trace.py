"""A tool of an MCP server in another process: one trace."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from autogen_teams import assistant
from mcp_crossing import crossing

from otel_agents.instrumentors.autogen import AutoGenInstrumentor
from otel_agents.instrumentors.mcp import McpInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


def test_one_trace_into_the_servers_process(
    run: Any, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    mcp: Any = import_module("autogen_ext.tools.mcp")
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]))
    instrumentors = (AutoGenInstrumentor(), OpenAIInstrumentor(), McpInstrumentor())
    with crossing() as server, instrumenting(emission, *instrumentors) as instrument:
        instrument()

        async def use() -> None:
            parameters = mcp.StdioServerParams(
                command=server.command,
                args=server.arguments,
                env=server.environ,
                read_timeout_seconds=60,
            )
            async with mcp.McpWorkbench(parameters) as workbench:
                await assistant("first", client, workbench=workbench).run(task="go")

        run(use())
        server.check(emission, "weather")

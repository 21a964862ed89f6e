"""A tool of an MCP server in another process: one trace, also where its name has a prefix."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from ag2_agents import agent, config, run
from mcp_crossing import crossing

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.instrumentors.mcp import McpInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.skipif(find_spec("mcp") is None, reason="mcp is not installed")


@pytest.mark.parametrize("prefix", ["", "shop_"])
def test_one_trace_into_the_servers_process(
    prefix: str, model: ScriptedModel, emission: Emission
) -> None:
    toolkits: Any = import_module("ag2.tools.toolkits.mcp_server")
    name = f"{prefix}weather"
    model.script(Response(tool_calls=[ToolCall(name, {"city": "Bern"})]), Response("Sunny."))
    instrumentors = (AG2Instrumentor(), OpenAIInstrumentor(), McpInstrumentor())
    with crossing() as server, instrumenting(emission, *instrumentors) as instrument:
        instrument()
        parameters = toolkits.MCPStdioServerConfig(
            command=server.command,
            args=server.arguments,
            env=server.environ,
            tool_name_prefix=prefix,
        )

        async def use() -> None:
            toolkit = toolkits.MCPToolkit(parameters)
            await agent("Guide", config(model), tools=[toolkit]).ask("Weather?")

        run(use)
        server.check(emission, name)

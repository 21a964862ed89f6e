"""A tool of an MCP server in another process: one trace, also where its name has a prefix."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest
from langchain_graphs import agent, chat
from mcp_crossing import crossing

from otel_agents.instrumentors.langchain import LangChainInstrumentor
from otel_agents.instrumentors.mcp import McpInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


@pytest.mark.parametrize("prefixed", [False, True])
def test_one_trace_into_the_servers_process(
    prefixed: bool, model: ScriptedModel, emission: Emission
) -> None:
    client: Any = import_module("langchain_mcp_adapters.client").MultiServerMCPClient
    name = "shop_weather" if prefixed else "weather"
    model.script(Response(tool_calls=[ToolCall(name, {"city": "Bern"})]), Response("Sunny."))
    instrumentors = (LangChainInstrumentor(), OpenAIInstrumentor(), McpInstrumentor())
    with crossing() as server, instrumenting(emission, *instrumentors) as instrument:
        instrument()
        connection = {
            "transport": "stdio",
            "command": server.command,
            "args": server.arguments,
            "env": server.environ,
        }

        async def use() -> None:
            tools = await client({"shop": connection}, tool_name_prefix=prefixed).get_tools()
            guide = agent(chat(model), tools=tools)
            await guide.ainvoke({"messages": [("user", "Weather?")]})

        asyncio.run(use())
        server.check(emission, name)

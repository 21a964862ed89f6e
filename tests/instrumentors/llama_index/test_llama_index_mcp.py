"""A tool of an MCP server in another process: one trace."""

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from mcp_crossing import crossing

from otel_agents.instrumentors.llama_index import LlamaIndexInstrumentor
from otel_agents.instrumentors.mcp import McpInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.skipif(
    find_spec("llama_index.tools") is None, reason="llama-index-tools-mcp is not installed"
)


def test_one_trace_into_the_servers_process(model: ScriptedModel, emission: Emission) -> None:
    tools: Any = import_module("llama_index.tools.mcp")
    agents: Any = import_module("llama_index.core.agent.workflow")
    llms: Any = import_module("llama_index.llms.openai")
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]), Response("Sunny."))
    instrumentors = (LlamaIndexInstrumentor(), OpenAIInstrumentor(), McpInstrumentor())
    with crossing() as server, instrumenting(emission, *instrumentors) as instrument:
        instrument()

        async def use() -> None:
            client = tools.BasicMCPClient(
                server.command, args=server.arguments, env=server.environ, timeout=60
            )
            offered = await tools.McpToolSpec(client).to_tool_list_async()
            llm = llms.OpenAI(
                model="gpt-4o-mini", api_base=model.openai_url, api_key="none", max_retries=0
            )
            guide = agents.FunctionAgent(name="Guide", tools=offered, llm=llm, streaming=False)
            await guide.run("Weather?")

        asyncio.run(use())
        server.check(emission, "weather")

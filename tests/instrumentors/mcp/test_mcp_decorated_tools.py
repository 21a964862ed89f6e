"""A server's tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from decorated_tools import FUNCTIONS, ORDERS

from otel_agents import api
from otel_agents.testing.emission import Emission

pytestmark = [
    pytest.mark.usefixtures("instrumented"),
    pytest.mark.skipif(find_spec("fastmcp") is None, reason="its server is the simplest"),
]


@FUNCTIONS
@ORDERS
def test_it_is_recorded_by_the_server_alone(order: str, function: Any, emission: Emission) -> None:
    fastmcp: Any = import_module("fastmcp")
    api.configure(**emission.providers)

    async def described_and_called(decorate: Any) -> tuple[Any, str]:
        server = fastmcp.FastMCP("weather")
        decorate(server)
        async with fastmcp.Client(server) as client:
            (tool,) = await client.list_tools()
            result = await client.call_tool("weather", {"city": "Bern"})
            schema = getattr(tool, "input_schema", None) or tool.inputSchema
            return (tool.name, tool.description, schema), str(result)

    def plainly(server: Any) -> None:
        server.tool(function)

    def ours(server: Any) -> None:
        if order == "ours-inside":
            server.tool(api.tool("weather")(function))
        else:
            api.tool("weather")(server.tool(function))

    try:
        plain = asyncio.run(described_and_called(plainly))
        recorded = len(emission.names)
        assert asyncio.run(described_and_called(ours)) == plain
        assert "Sunny in Bern for 1." in plain[1]
        assert emission.names[recorded:] == emission.names[:recorded]
    finally:
        api.configure()

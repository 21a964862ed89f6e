"""A server's tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated

from otel_agents.testing.emission import Emission

pytestmark = [
    pytest.mark.usefixtures("instrumented"),
    pytest.mark.skipif(find_spec("fastmcp") is None, reason="its server is the simplest"),
]


@FUNCTIONS
@ORDERS
def test_it_is_recorded_by_client_and_server(order: str, function: Any, emission: Emission) -> None:
    fastmcp: Any = import_module("fastmcp")

    async def offered(decorate: Any) -> tuple[Any, Any]:
        server = fastmcp.FastMCP("weather")
        decorate(server.tool)
        async with fastmcp.Client(server) as client:
            (tool,) = await client.list_tools()
            result = await client.call_tool("weather", CITY)
            schema = getattr(tool, "input_schema", None) or tool.inputSchema
            return (tool.name, tool.description, schema), result

    def offer(decorate: Any) -> tuple[Any, Any]:
        return asyncio.run(offered(decorate))

    check_decorated(order, function, offer, emission, recorded=2)

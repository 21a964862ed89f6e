"""A server of the Model Context Protocol for every version of ``mcp``: in memory, or a program.

As a program its first argument is the transport, and the second a port.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

from packaging.version import Version

__all__ = ["NEWEST", "SECRET", "VERSION", "lowlevel", "weather_server", "with_context"]

SECRET = "planted-secret"
VERSION = Version(version("mcp"))
NEWEST = Version("2") <= VERSION
"""Whether it is mcp 2, which has another interface."""


def _class() -> Any:
    if NEWEST:
        return import_module("mcp.server.mcpserver").MCPServer
    return import_module("mcp.server.fastmcp").FastMCP


def with_context(server: Any, tool: Any) -> None:
    """Add a tool whose parameter ``ctx`` is the server's context."""
    module: Any = import_module(_class().__module__.rpartition(".")[0])
    tool.__annotations__["ctx"] = module.Context
    server.tool()(tool)


async def _sample(session: Any) -> Any:
    types: Any = import_module("mcp.types")
    content = types.TextContent(type="text", text=f"Where is {SECRET}?")
    messages = [types.SamplingMessage(role="user", content=content)]
    result = await session.create_message(
        messages=messages, max_tokens=20, system_prompt=f"Be {SECRET}.", temperature=0.5
    )
    return result.content.text


def weather_server(name: str = "weather", **settings: Any) -> Any:
    """Return a server with tools, a prompt and a resource."""
    server = _class()(name, **settings)

    @server.tool()
    async def weather(city: str) -> str:
        """Tell the weather."""
        return f"sunny in {city}"

    @server.tool()
    async def broken(city: str) -> str:
        """Fail."""
        raise LookupError(city)

    async def sampled(ctx: Any) -> str:
        """Call the client's model."""
        return await _sample(ctx.session)

    async def slow(ctx: Any) -> str:
        """Report progress."""
        for number in range(3):
            await ctx.report_progress(number, 3)
        return "done"

    for tool in (sampled, slow):
        with_context(server, tool)

    @server.tool()
    async def patient() -> str:
        """Wait until the client gives up."""
        anyio: Any = import_module("anyio")
        await anyio.sleep_forever()
        return ""

    @server.prompt()
    def greeting(person: str) -> str:
        """Greet."""
        return f"Greet {person}."

    @server.resource("memo://{name}")
    def memo(name: str) -> str:
        """Return a memo."""
        return f"memo {name}"

    return server


def lowlevel(server: Any) -> Any:
    """Return the server below the one that `weather_server` makes."""
    return server._lowlevel_server if NEWEST else server._mcp_server


def main() -> None:
    """Serve until the client is gone."""
    transport, *port = sys.argv[1:]
    if transport == "stdio":
        weather_server().run()
    elif NEWEST:
        weather_server().run(transport, port=int(port[0]))
    else:
        weather_server(port=int(port[0])).run(transport)


if __name__ == "__main__":
    main()

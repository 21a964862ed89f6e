"""An MCP server with one tool, which `mcp_tool.py` starts."""

# pyright: basic, reportMissingImports=false
# MCP is not installed where the other examples are checked.

from __future__ import annotations

from mcp.server.fastmcp import FastMCP

server = FastMCP("weather")


@server.tool()
def forecast(city: str) -> str:
    """Return the weather of a city."""
    return f"sunny in {city}"


if __name__ == "__main__":
    server.run()

"""A server of the Model Context Protocol with one tool; `mcp_tool.py` starts it."""

# pyright: basic, reportMissingImports=false
# MCP is not installed where the other examples are checked.

from __future__ import annotations

from mcp.server.fastmcp import FastMCP

server = FastMCP("weather")


@server.tool()
def forecast(city: str) -> str:
    """Tell the weather of a city."""
    return f"sunny in {city}"


if __name__ == "__main__":
    server.run()

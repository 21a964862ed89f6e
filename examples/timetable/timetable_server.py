"""An MCP server with one tool, which `guide.py` starts."""

# pyright: basic, reportMissingImports=false
# MCP is not installed where the other examples are checked.

from __future__ import annotations

try:
    from mcp.server.mcpserver import MCPServer
except ImportError:  # mcp 1
    from mcp.server.fastmcp import FastMCP as MCPServer

server = MCPServer("timetable")


@server.tool()
def departures(station: str) -> str:
    """Return the next departures of a station."""
    return f"{station}: 09:25 to Bern, 09:40 to Chur"


if __name__ == "__main__":
    server.run()

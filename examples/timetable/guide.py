"""An agent with a tool of an MCP server: two processes, and one trace."""

# pyright: basic, reportMissingImports=false
# The Agents SDK is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from agents import Agent, Runner
from agents.mcp import MCPServerStdio

SERVER = Path(__file__).with_name("timetable_server.py")
INSTRUMENT = Path(sys.executable).with_name("opentelemetry-instrument")


def timetable() -> MCPServerStdio:
    """Return the server, started under ``opentelemetry-instrument`` as this program is."""
    variables = {**os.environ, "OTEL_SERVICE_NAME": "timetable"}
    arguments = [sys.executable, str(SERVER)]
    parameters = {"command": str(INSTRUMENT), "args": arguments, "env": variables}
    return MCPServerStdio(
        params=parameters, cache_tools_list=True, client_session_timeout_seconds=60
    )


async def main() -> None:
    """Answer one question."""
    async with timetable() as server:
        guide = Agent(
            name="Guide",
            instructions="Answer in one sentence.",
            model="gpt-4o-mini",
            mcp_servers=[server],
        )
        result = await Runner.run(guide, "What leaves Zurich?")
    print(result.final_output)


if __name__ == "__main__":
    asyncio.run(main())

"""Tools that a server of the Model Context Protocol executes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from autogen_teams import CHAT, assistant, turn

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

SECRET = "planted-secret"
SERVER = '''
from mcp.server.fastmcp import FastMCP

server = FastMCP("weather")


@server.tool()
def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


@server.tool()
def broken(city: str) -> str:
    """Fails."""
    raise LookupError(city)


server.run()
'''


@pytest.mark.usefixtures("instrumented")
def test_tools_of_a_server(
    tmp_path: Path,
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    balanced: Callable[[], None],
) -> None:
    mcp: Any = import_module("autogen_ext.tools.mcp")
    program = tmp_path / "server.py"
    program.write_text(SERVER, "utf-8")

    async def call_tools() -> None:
        server = mcp.StdioServerParams(command=sys.executable, args=[str(program)])
        async with mcp.McpWorkbench(server) as workbench:
            await assistant("first", client, workbench=workbench).run(task="go")

    calls = [
        ToolCall("weather", {"city": SECRET}, id="call_1"),
        ToolCall("broken", {"city": SECRET}, id="call_2"),
    ]
    model.script(Response(tool_calls=calls))
    run(call_tools())
    lines = emission.tree()
    called = turn("first", CHAT, "execute_tool broken", "execute_tool weather", depth=0)
    assert [*lines[:2], *sorted(lines[2:])] == called
    recorded = {s.name: dict(s.attributes or {}) for s in emission.spans if "tool" in s.name}
    known = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.type": "extension",
        "gen_ai.agent.name": "first",
    }
    assert recorded == {
        "execute_tool weather": {
            **known,
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.call.id": "call_1",
        },
        "execute_tool broken": {
            **known,
            "gen_ai.tool.name": "broken",
            "gen_ai.tool.call.id": "call_2",
            "error.type": "tool_error",
        },
    }
    assert SECRET not in emission.texts()
    balanced()

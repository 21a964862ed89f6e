"""The four metrics: of requests and of sessions, on either side."""

from __future__ import annotations

from typing import Any

import pytest
from mcp_peers import MODES, connected
from mcp_server import weather_server
from opentelemetry.context import attach, detach

from otel_agents.instrumentors import ExecuteTool, Telemetry
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")
BOTH = pytest.mark.parametrize("mode", MODES)
CLIENT, SERVER = "mcp.client.operation.duration", "mcp.server.operation.duration"


def methods(points: Any, name: str) -> list[tuple[str, str | None]]:
    """Return the methods and errors of a metric's points."""
    found = [attributes for attributes, _ in points[name]]
    return sorted(((point["mcp.method.name"], point.get("error.type")) for point in found), key=str)


@BOTH
def test_each_request_is_measured_on_both_sides(mode: str, run: Any, emission: Emission) -> None:
    """A call that has no span of its own as well, and each session once."""
    telemetry = Telemetry("framework", **emission.providers)

    async def use() -> None:
        async with connected(weather_server(), mode) as session:
            await session.list_tools()
            await session.call_tool("broken", {"city": "Bern"})
            tool = ExecuteTool(telemetry, "weather")
            await within(tool, session)

    async def within(tool: ExecuteTool, session: Any) -> None:
        token = attach(tool.context)
        await session.call_tool("weather", {"city": "Bern"})
        detach(token)
        tool.end()

    run(use())
    opening = (
        [("server/discover", None)]
        if mode == "auto"
        else [("initialize", None), ("notifications/initialized", None)]
    )
    calls = [("tools/call", None), ("tools/call", "tool_error"), ("tools/list", None)]
    expected = sorted([*opening, *calls], key=str)
    points = emission.points()
    assert methods(points, CLIENT) == expected
    assert methods(points, SERVER) == expected
    sessions = sorted(name for name in points if "session" in name)
    known = ["mcp.client.session.duration", "mcp.server.session.duration"]
    assert sessions == ([] if mode == "auto" else known)
    for name in sessions:
        ((attributes, seconds),) = points[name]
        assert seconds > 0
        assert set(attributes) == {"mcp.protocol.version"}

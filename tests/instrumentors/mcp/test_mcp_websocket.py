"""The WebSocket transport of mcp 1: one connection carries all messages of a session."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest
from mcp_peers import session_over
from mcp_server import lowlevel, weather_server
from mcp_web import serving
from opentelemetry.trace import SpanKind

from otel_agents.testing.emission import Emission

CALL = "tools/call weather"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def application() -> Any:
    """Return a server of ASGI that speaks WebSocket."""
    server = lowlevel(weather_server())
    websocket_server: Any = import_module("mcp.server.websocket").websocket_server

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            async with websocket_server(scope, receive, send) as streams:
                await server.run(*streams, server.create_initialization_options())

    return app


@pytest.mark.usefixtures("instrumented")
def test_both_ends_are_one_trace(emission: Emission) -> None:
    client: Any = import_module("mcp.client.websocket").websocket_client

    async def use(port: int) -> str:
        async with session_over(client(f"ws://127.0.0.1:{port}/ws")) as session:
            return (await session.call_tool("weather", {"city": "Bern"})).content[0].text

    with serving(application()) as port:
        assert asyncio.run(use(port)) == "sunny in Bern"
    spans = {span.kind: span for span in emission.spans if span.name == CALL}
    sent, received = spans[SpanKind.CLIENT], spans[SpanKind.SERVER]
    assert received.parent is not None
    assert sent.context is not None
    assert (received.parent.span_id, list(received.links)) == (sent.context.span_id, [])
    known = [
        {
            name: value
            for name, value in (span.attributes or {}).items()
            if name.startswith(("network.", "server.", "client."))
        }
        for span in (sent, received)
    ]
    websocket = {"network.transport": "tcp", "network.protocol.name": "websocket"}
    assert known[1].pop("client.port", 0)
    assert known == [
        {**websocket, "server.address": "127.0.0.1", "server.port": port},
        {**websocket, "client.address": "127.0.0.1"},
    ]

"""The HTTP request that carries a message: a link of the server's span, or its parent."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any

import anyio
import pytest
from mcp_peers import over_http, session_over
from mcp_server import VERSION, weather_server
from mcp_web import serving, traced
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from packaging.version import Version

from otel_agents.testing.emission import Emission

if Version("1.8") > VERSION:
    pytest.skip("this version has no streamable HTTP", allow_module_level=True)

CALL = "tools/call weather"


@pytest.mark.usefixtures("instrumented")
def test_each_message_is_linked_to_its_own_request(emission: Emission) -> None:
    """Not to the first of the session, in whose context mcp 1 handles them all."""

    async def use(port: int) -> None:
        async with session_over(over_http(port)) as session:
            for city in ("Bern", "Chur"):
                await session.call_tool("weather", {"city": city})

    with serving(traced(weather_server().streamable_http_app(), emission)) as port:
        asyncio.run(use(port))
    requests = {s.context.span_id for s in emission.spans if s.name == "POST" and s.context}
    calls = [s for s in emission.spans if s.name == CALL]
    clients = {s.context.span_id for s in calls if s.kind is SpanKind.CLIENT and s.context}
    served = [s for s in calls if s.kind is SpanKind.SERVER]
    assert {s.parent.span_id for s in served if s.parent} == clients
    links = [[link.context.span_id for link in s.links] for s in served]
    assert [len(one) for one in links] == [1, 1]
    assert {one for (one,) in links} < requests
    assert links[0] != links[1]


def described(app: Any) -> Any:
    """Return ``app``, whose request's span has the session and the id of the message."""

    async def call(scope: Any, receive: Any, send: Any) -> None:
        span = trace.get_current_span()
        session = dict(scope.get("headers", ())).get(b"mcp-session-id", b"").decode()

        async def received() -> Any:
            event = await receive()
            if event.get("body"):
                request_id = json.loads(event["body"]).get("id", "")
                span.set_attributes({"session": session, "id": str(request_id)})
            return event

        await app(scope, received, send)

    return call


@pytest.mark.usefixtures("instrumented")
def test_messages_of_concurrent_sessions_are_linked_to_their_own_requests(
    emission: Emission,
) -> None:
    """All of them are handled at the same time."""
    waiting: list[str] = []
    server, total = weather_server(), 6

    @server.tool()
    async def meet(number: str) -> str:
        """Wait for all others."""
        waiting.append(number)
        while len(waiting) < total:
            await anyio.lowlevel.checkpoint()
        return number

    async def use(port: int) -> None:
        async with session_over(over_http(port)) as session, anyio.create_task_group() as group:
            for number in range(total // 2):
                group.start_soon(session.call_tool, "meet", {"number": str(number)})

    async def both(port: int) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(use, port)
            group.start_soon(use, port)

    with serving(traced(described(server.streamable_http_app()), emission)) as port:
        asyncio.run(both(port))
    requests = {
        span.context.span_id: dict(span.attributes or {})
        for span in emission.spans
        if span.name == "POST" and span.context
    }
    served = [
        span
        for span in emission.spans
        if span.name == "tools/call meet" and span.kind is SpanKind.SERVER
    ]
    linked = [requests[link.context.span_id] for span in served for link in span.links]
    known = [span.attributes or {} for span in served]
    assert linked == [
        {"session": one["mcp.session.id"], "id": one["jsonrpc.request.id"]} for one in known
    ]
    assert len({(one["session"], one["id"]) for one in linked}) == total


@pytest.mark.usefixtures("instrumented")
def test_without_a_context_of_its_own_a_message_is_below_its_request(emission: Emission) -> None:
    """From a client without telemetry."""
    params = {
        "protocolVersion": "2025-03-26",
        "capabilities": {},
        "clientInfo": {"name": "plain", "version": "1"},
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    headers = {
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    body = json.dumps(message).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with serving(traced(weather_server().streamable_http_app(), emission)) as port:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/mcp", body, headers)
        with opener.open(request, timeout=30) as response:
            assert response.status == 200
            response.readline()
    (span,) = (s for s in emission.spans if s.name == "initialize")
    (post,) = (s for s in emission.spans if s.name == "POST")
    assert span.parent is not None
    assert post.context is not None
    assert (span.parent.span_id, list(span.links)) == (post.context.span_id, [])

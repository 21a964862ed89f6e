"""A request is one span at its sender and one at its receiver, in one trace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from mcp_peers import MODES, connected, peer, result_of, strict_peer
from mcp_server import NEWEST, VERSION, lowlevel, weather_server, with_context
from opentelemetry import baggage, trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind, StatusCode
from packaging.version import Version

from otel_agents.instrumentors import ExecuteTool, InvokeAgent, Telemetry, with_user_id
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")
Run = Callable[[Any], Any]
BOTH = pytest.mark.parametrize("mode", MODES)


def lines(*names: str) -> list[str]:
    """Return the tree of requests that both sides record."""
    return [line for name in names for line in (name, f"  {name}")]


def opening(mode: str) -> list[str]:
    """Return the tree of what a client sends when it connects."""
    if mode == "auto":
        return lines("server/discover")
    return lines("initialize", "notifications/initialized")


def found(emission: Emission, name: str) -> list[tuple[SpanKind, StatusCode, dict[str, Any]]]:
    """Return kind, status and attributes of the spans with a name: the client's, the server's."""
    spans = sorted(
        (s for s in emission.spans if s.name == name), key=lambda span: span.start_time or 0
    )
    return [(s.kind, s.status.status_code, dict(s.attributes or {})) for s in spans]


def protocol(mode: str) -> str:
    """Return the version of the protocol that a client and a server agree on."""
    if mode == "auto":
        return "2026-07-28"
    return "2025-11-25" if Version("1.23") <= VERSION else "2024-11-05"


@BOTH
def test_a_request_is_a_span_on_both_sides(mode: str, run: Run, emission: Emission) -> None:
    async def use() -> None:
        async with connected(weather_server(), mode) as session:
            await session.list_tools()
            await session.call_tool("weather", {"city": "Bern"})
            await session.get_prompt("greeting", {"person": "Ada"})
            await session.read_resource("memo://one")

    run(use())
    requests = ("tools/list", "tools/call weather", "prompts/get greeting", "resources/read")
    assert emission.tree() == [*opening(mode), *lines(*requests)]
    attributes = {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "weather",
        "gen_ai.operation.name": "execute_tool",
        "mcp.protocol.version": protocol(mode),
    }
    (client, _, sent), (server, _, received) = found(emission, "tools/call weather")
    assert (client, server) == (SpanKind.CLIENT, SpanKind.SERVER)
    request_id = received.pop("jsonrpc.request.id")
    assert received == attributes
    assert mode == "auto" or sent.pop("jsonrpc.request.id") == request_id
    assert sent == attributes
    uris = [one["mcp.resource.uri"] for _, _, one in found(emission, "resources/read")]
    assert uris == ["memo://one"] * 2


@BOTH
def test_the_application_sees_what_it_saw_before(mode: str, run: Run) -> None:
    """No key in what it sends, and the same results."""
    types: Any = __import__("mcp.types").types

    async def use() -> Any:
        async with connected(weather_server(), mode) as session:
            sent: list[Any] = []
            if not NEWEST:
                params = types.CallToolRequestParams(name="weather", arguments={"city": "Bern"})
                request = types.ClientRequest(
                    types.CallToolRequest(method="tools/call", params=params)
                )
                sent = [request, request.model_dump()]
                await session.send_request(request, types.CallToolResult)
            return sent, await session.call_tool("weather", {"city": "Bern"})

    sent, result = run(use())
    assert not sent or sent[0].model_dump() == sent[1]
    assert result.content[0].text == "sunny in Bern"


def test_meta_carries_the_context_unprefixed(emission: Emission) -> None:
    received: list[dict[str, Any]] = []

    def handle(message: dict[str, Any]) -> Any:
        received.append(message)
        return result_of(message)

    async def use() -> None:
        async with peer(handle) as session:
            await session.call_tool("weather", {"city": "Bern"})

    token = attach(baggage.set_baggage("shop", "north"))
    try:
        asyncio.run(use())
    finally:
        detach(token)
    (call,) = [it for it in received if it["method"] == "tools/call"]
    span = next(s for s in emission.spans if s.name == "tools/call weather")
    assert span.context is not None
    ids = f"{span.context.trace_id:032x}-{span.context.span_id:016x}"
    meta = {key: value for key, value in call["params"]["_meta"].items() if "/" not in key}
    assert meta == {
        "traceparent": f"00-{ids}-{span.context.trace_flags:02x}",
        "baggage": "shop=north",
    }
    (initialize,) = [it for it in received if it["method"] == "initialize"]
    assert "traceparent" in initialize["params"]["_meta"]
    (initialized,) = [it for it in received if it["method"] == "notifications/initialized"]
    assert "traceparent" in initialized["params"]["_meta"]


def test_the_server_continues_the_clients_trace(run: Run, emission: Emission) -> None:
    """With the trace's state and the application's baggage."""
    seen: list[Any] = []
    state = trace.TraceState([("vendor", "east")])
    known = trace.SpanContext(0xABC, 0xDEF, True, trace.TraceFlags(1), state)
    upstream = trace.set_span_in_context(trace.NonRecordingSpan(known))
    server = weather_server()

    @server.tool()
    def look() -> str:
        """Look."""
        known = trace.get_current_span().get_span_context()
        seen.append((known.trace_id, known.trace_state.to_header(), baggage.get_all()))
        return ""

    async def use() -> None:
        async with connected(server) as session:
            token = attach(baggage.set_baggage("shop", "north", upstream))
            try:
                await session.call_tool("look", {})
            finally:
                detach(token)

    run(use())
    (client, _) = (s for s in emission.spans if s.name == "tools/call look")
    assert client.context is not None
    assert client.context.trace_id == 0xABC
    assert seen == [(0xABC, "vendor=east", {"shop": "north"})]


@pytest.mark.parametrize("methods", [(), ("tools/call",)], ids=["any", "tools/call"])
def test_a_peer_that_rejects_unknown_keys_works_as_before(
    methods: tuple[str, ...], run: Run, emission: Emission
) -> None:
    """It gets the request again without ours; then no more of them."""
    received: list[dict[str, Any]] = []
    reason = "unrecognized key 'traceparent' in _meta" if methods else ""

    async def use() -> str:
        async with peer(strict_peer(received, *methods, reason=reason)) as session:
            await session.call_tool("weather", {"city": "Bern"})
            result = await session.call_tool("weather", {"city": "Bern"})
            return result.content[0].text

    assert run(use()) == "sunny"
    rejected = "tools/call" if methods else "initialize"
    carrying = [
        it["method"]
        for it in received
        if "traceparent" in (it.get("params", {}).get("_meta") or {})
    ]
    assert carrying[-1] == rejected
    calls = [it for it in received if it["method"] == "tools/call"]
    assert len(calls) == (3 if methods else 2)
    names = [span.name for span in emission.spans if span.status.status_code is StatusCode.ERROR]
    assert names == []


def test_a_tool_is_not_called_twice_for_arguments_that_a_peer_rejects(run: Run) -> None:
    received: list[dict[str, Any]] = []

    def handle(message: dict[str, Any]) -> Any:
        received.append(message)
        if message["method"] == "tools/call":
            return {"error": {"code": -32602, "message": "no such city"}}
        return result_of(message)

    async def use() -> None:
        async with peer(handle) as session:
            for _ in range(2):
                with pytest.raises(Exception, match="no such city"):
                    await session.call_tool("weather", {"city": "Bern"})

    run(use())
    assert [it["method"] for it in received].count("tools/call") == 2


# Tools in progress.


@pytest.fixture
def telemetry(emission: Emission) -> Telemetry:
    """Return what a framework's instrumentor emits with."""
    return Telemetry("framework", **emission.providers)


async def within(operation: Any, work: Any) -> None:
    token = attach(operation.context)
    try:
        await work
    finally:
        detach(token)
        operation.end()


@BOTH
@pytest.mark.parametrize("name", ["weather", "Weather", "shop__weather", "shop.weather"])
def test_a_frameworks_tool_gets_the_protocols_attributes(
    name: str, mode: str, run: Run, emission: Emission, telemetry: Telemetry
) -> None:
    """It is the call: there is no other span in this process, and what it lists is no span."""

    async def use() -> None:
        async with connected(weather_server(), mode) as session:
            tool = ExecuteTool(telemetry, name)
            await within(tool, session.call_tool("weather", {"city": "Bern"}))

    run(use())
    tree = [*opening(mode), f"execute_tool {name}", "  tools/call weather"]
    assert emission.tree() == tree
    ((kind, _, attributes),) = found(emission, f"execute_tool {name}")
    attributes.pop("jsonrpc.request.id", None)
    assert (kind, attributes) == (
        SpanKind.INTERNAL,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "mcp.method.name": "tools/call",
            "mcp.protocol.version": protocol(mode),
        },
    )


@pytest.mark.parametrize("name", ["fore_cast", "mcp_shop__fore_cast", "a__b__fore.cast"])
def test_a_framework_replaces_special_characters(
    name: str, run: Run, emission: Emission, telemetry: Telemetry
) -> None:
    """Behind the server's name as well."""
    server = weather_server()

    @server.tool(name="fore.cast")
    def forecast() -> str:
        """Return the forecast."""
        return ""

    async def use() -> None:
        async with connected(server) as session:
            await within(ExecuteTool(telemetry, name), session.call_tool("fore.cast", {}))

    run(use())
    assert emission.tree()[-2:] == [f"execute_tool {name}", "  tools/call fore.cast"]


@BOTH
def test_a_tool_that_calls_others_has_them_below_it(
    mode: str, run: Run, emission: Emission, telemetry: Telemetry
) -> None:
    """One of its own name as well, from the second call on."""

    async def use() -> None:
        async with connected(weather_server(), mode) as session:

            async def body() -> None:
                await session.call_tool("weather", {"city": "Bern"})
                await session.call_tool("weather", {"city": "Chur"})

            await within(ExecuteTool(telemetry, "get_weather"), body())
            await within(ExecuteTool(telemetry, "weather"), body())

    run(use())
    call = "tools/call weather"
    assert emission.tree() == [
        *opening(mode),
        "execute_tool get_weather",
        *(f"  {line}" for line in lines(call, call)),
        "execute_tool weather",
        f"  {call}",
        *(f"  {line}" for line in lines(call)),
    ]


@BOTH
def test_an_agent_counts_its_calls_and_lists_no_tools(
    mode: str, run: Run, emission: Emission, telemetry: Telemetry
) -> None:
    """What the server does is not the agent's, also where both are one process."""
    seen: list[Any] = []
    server = weather_server()

    @server.tool()
    def inner() -> str:
        """Use a tool of its own."""
        ExecuteTool(telemetry, "private").end()
        return ""

    async def use() -> None:
        async with connected(server, mode) as session:
            agent = InvokeAgent(telemetry, "ada")

            async def body() -> None:
                await session.list_tools()
                await session.call_tool("inner", {})

            await within(agent, body())
            seen.append(agent.scope.tool_calls)

    run(use())
    assert seen == [1]
    tree = [line for line in emission.tree() if "tools/list" not in line]
    assert tree == [
        *opening(mode),
        "invoke_agent ada",
        *(f"  {line}" for line in lines("tools/call inner")),
        "      execute_tool private",
    ]
    private = next(s for s in emission.spans if s.name == "execute_tool private")
    assert "gen_ai.agent.name" not in (private.attributes or {})


@BOTH
def test_an_error_of_a_tool_is_the_frameworks_tools_error(
    mode: str, run: Run, emission: Emission, telemetry: Telemetry
) -> None:
    async def use() -> None:
        async with connected(weather_server(), mode) as session:
            tool = ExecuteTool(telemetry, "broken")
            await within(tool, session.call_tool("broken", {"city": "Bern"}))

    run(use())
    ((_, status, attributes),) = found(emission, "execute_tool broken")
    assert (status, attributes["error.type"]) == (StatusCode.ERROR, "tool_error")


# Other work.


def test_progress_is_reported_within_the_call(run: Run, emission: Emission) -> None:
    if Version("1.9") > VERSION:
        pytest.skip("this version has no progress callbacks")
    seen: list[Any] = []

    async def progress(done: float, total: float | None, message: str | None) -> None:
        seen.append((done, trace.get_current_span().get_span_context().span_id))

    async def use() -> None:
        async with connected(weather_server()) as session:
            await session.call_tool("slow", {}, progress_callback=progress)
            while len(seen) < 3:
                await anyio.lowlevel.checkpoint()

    run(use())
    client = next(
        s for s in emission.spans if s.name == "tools/call slow" and s.kind is SpanKind.CLIENT
    )
    assert client.context is not None
    assert seen == [(done, client.context.span_id) for done in (0.0, 1.0, 2.0)]
    assert "notifications/progress" not in emission.names


def test_a_notification_is_handled_within_its_span(run: Run, emission: Emission) -> None:
    """On both sides, although mcp 1 calls the handlers where the session was opened."""
    seen: list[tuple[str, int]] = []
    server, done = weather_server(), anyio.Event()

    def note(side: str) -> None:
        seen.append((side, trace.get_current_span().get_span_context().span_id))

    async def changed(*args: Any) -> None:
        note("server")
        await sessions[0].send_tool_list_changed()

    async def handle(message: Any) -> None:
        if "ToolListChanged" in type(getattr(message, "root", message)).__name__:
            note("client")
            done.set()

    sessions: list[Any] = []

    async def join(ctx: Any) -> str:
        """Keep the session."""
        sessions.append(ctx.session)
        return ""

    with_context(server, join)
    types: Any = __import__("mcp.types").types
    if NEWEST:
        lowlevel(server).add_notification_handler(
            "notifications/roots/list_changed", types.NotificationParams, changed
        )
    else:
        handlers = lowlevel(server).notification_handlers
        handlers[types.RootsListChangedNotification] = changed

    async def use() -> None:
        async with connected(server, message_handler=handle) as session:
            await session.call_tool("join", {})
            await session.send_roots_list_changed()
            with anyio.fail_after(20):
                await done.wait()

    run(use())
    received = {
        ("server", "notifications/roots/list_changed"),
        ("client", "notifications/tools/list_changed"),
    }
    spans = {
        (side, span.context.span_id)
        for side, name in received
        for span in emission.spans
        if span.name == name and span.kind is SpanKind.SERVER and span.context
    }
    assert set(seen) == spans
    assert len(spans) == len(seen) == 2


@BOTH
def test_parallel_calls_are_traces_of_their_own(mode: str, run: Run, emission: Emission) -> None:
    async def use() -> None:
        async with (
            connected(weather_server(), mode) as session,
            anyio.create_task_group() as group,
        ):
            for city in ("Bern", "Chur", "Genf"):
                group.start_soon(session.call_tool, "weather", {"city": city})

    run(use())
    calls = [s for s in emission.spans if s.name == "tools/call weather"]
    assert len(calls) == 6
    assert len({s.context.trace_id for s in calls if s.context}) == 3


@BOTH
def test_the_user_of_the_context_is_on_the_clients_span(
    mode: str, run: Run, emission: Emission
) -> None:
    async def use() -> None:
        async with connected(weather_server(), mode) as session:
            token = attach(with_user_id("ada"))
            try:
                await session.call_tool("weather", {"city": "Bern"})
            finally:
                detach(token)

    run(use())
    (_, _, sent), _ = found(emission, "tools/call weather")
    assert sent["user.id"] == "ada"

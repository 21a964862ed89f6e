"""Errors: of a tool, of JSON-RPC on either side, of the connection; cancellation."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from mcp_peers import MODES, connected, peer, result_of
from mcp_server import NEWEST, lowlevel, weather_server
from opentelemetry.trace import SpanKind, StatusCode

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")
BOTH = pytest.mark.parametrize("mode", MODES)
Outcome = tuple[SpanKind, StatusCode, Any, Any]
CLIENT, SERVER = SpanKind.CLIENT, SpanKind.SERVER
UNSET, ERROR = StatusCode.UNSET, StatusCode.ERROR


def outcomes(emission: Emission, name: str) -> list[Outcome]:
    """Return what became of a request: at the client, at the server."""
    spans = sorted(
        (s for s in emission.spans if s.name == name), key=lambda span: span.start_time or 0
    )
    codes = ("error.type", "rpc.response.status_code")
    found = [(s, [(s.attributes or {}).get(code) for code in codes]) for s in spans]
    return [(s.kind, s.status.status_code, *values) for s, values in found]  # pyright: ignore[reportReturnType]  two values


@BOTH
def test_a_tool_that_fails(mode: str, run: Any, emission: Emission) -> None:
    async def use() -> Any:
        async with connected(weather_server(), mode) as session:
            return await session.call_tool("broken", {"city": "Bern"})

    assert "broken" in run(use()).content[0].text
    assert outcomes(emission, "tools/call broken") == [
        (CLIENT, ERROR, "tool_error", None),
        (SERVER, ERROR, "tool_error", None),
    ]


@pytest.mark.parametrize(
    ("code", "failure"), [(-32602, False), (-32002, False), (-32603, True), (-32042, True)]
)
def test_a_callers_fault_is_no_error_of_the_server(
    code: int, failure: bool, run: Any, emission: Emission
) -> None:
    shared: Any = __import__("mcp.shared.exceptions").shared.exceptions
    types: Any = __import__("mcp.types").types
    error: Any
    if NEWEST:
        error = shared.MCPError(code=code, message="no")
    else:
        error = shared.McpError(types.ErrorData(code=code, message="no"))
    server = weather_server()

    async def fail(*args: Any) -> Any:
        raise error

    if NEWEST:
        handlers = lowlevel(server)._request_handlers
        entry = handlers["prompts/get"]
        handlers["prompts/get"] = type(entry)(entry.params_type, fail)
    else:
        lowlevel(server).request_handlers[types.GetPromptRequest] = fail

    async def use() -> None:
        async with connected(server) as session:
            with pytest.raises(Exception, match="no"):
                await session.get_prompt("greeting", {"person": "Ada"})

    run(use())
    served = (SERVER, ERROR, str(code)) if failure else (SERVER, UNSET, None)
    assert outcomes(emission, "prompts/get greeting") == [
        (CLIENT, ERROR, str(code), str(code)),
        (*served, str(code)),
    ]


@BOTH
def test_a_cancelled_call(mode: str, run: Any, emission: Emission) -> None:
    async def use() -> None:
        async with connected(weather_server(), mode) as session:
            await session.list_tools()
            with anyio.move_on_after(0.2):
                await session.call_tool("patient", {})

    run(use())
    found = outcomes(emission, "tools/call patient")
    assert [(kind, status) for kind, status, *_ in found] == [(CLIENT, ERROR), (SERVER, ERROR)]
    assert {error.rpartition(".")[2] for _, _, error, _ in found} == {"CancelledError"}


def test_a_peer_that_is_gone(run: Any, emission: Emission) -> None:
    def handle(message: dict[str, Any]) -> Any:
        return None if message["method"] == "tools/call" else result_of(message)

    async def use() -> None:
        async with peer(handle) as session:
            with anyio.move_on_after(0.2):
                await session.call_tool("weather", {})

    run(use())
    ((kind, status, error, code),) = outcomes(emission, "tools/call weather")
    assert (kind, status, code) == (CLIENT, ERROR, None)
    assert error.endswith("CancelledError")


def test_an_unknown_method(run: Any, emission: Emission) -> None:
    """The server has no subscriptions."""

    async def use() -> None:
        async with connected(weather_server()) as session:
            with pytest.raises(Exception, match="Method not found"):
                await session.subscribe_resource("memo://one")

    run(use())
    assert outcomes(emission, "resources/subscribe") == [
        (CLIENT, ERROR, "-32601", "-32601"),
        (SERVER, UNSET, None, "-32601"),
    ]

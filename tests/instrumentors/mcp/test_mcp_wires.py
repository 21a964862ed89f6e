"""One trace across two processes, over each transport, and what each transport records."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from instrumented import plain_environ
from mcp_peers import over_http, over_sse, served, session_over, stdio
from mcp_server import VERSION
from otlp_receiver import Receiver, free_port
from packaging.version import Version

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")
COMMAND = (str(Path(sys.executable).with_name("opentelemetry-instrument")), sys.executable)
CALL = "tools/call weather"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return what receives the spans of the server's process."""
    with Receiver() as receiver:
        yield receiver


def environ(receiver: Receiver) -> dict[str, str]:
    """Return the variables of the server's process."""
    return plain_environ(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "50",  # early clients kill the server when they close
        }
    )


async def called(session: Any, receiver: Receiver) -> None:
    """Call a tool, and wait for the span of the other process."""
    await session.call_tool("weather", {"city": "Bern"})

    def wait() -> bool:
        with receiver.arrived:
            return receiver.arrived.wait_for(lambda: CALL in receiver.span_names, 30)

    assert await anyio.to_thread.run_sync(wait)


def attributes(span: Any) -> dict[str, Any]:
    """Return the attributes of a received span that the transport adds."""
    known = {pair.key: pair.value.string_value or pair.value.int_value for pair in span.attributes}
    return wire(known)


def wire(known: Any) -> dict[str, Any]:
    """Return the attributes that the transport adds."""
    return {
        name: value
        for name, value in known.items()
        if name.startswith(("network.", "server.", "client.", "mcp.session"))
    }


def check_one_trace(
    emission: Emission, receiver: Receiver
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check that the server's span is a child of the client's; return the wire's attributes."""
    (client,) = (span for span in emission.spans if span.name == CALL)
    (server,) = (span for span in receiver.spans if span.name == CALL)
    assert client.context is not None
    assert server.trace_id.hex() == f"{client.context.trace_id:032x}"
    assert server.parent_span_id.hex() == f"{client.context.span_id:016x}"
    return wire(dict(client.attributes or {})), attributes(server)


def test_standard_input_and_output(emission: Emission, receiver: Receiver) -> None:
    async def use() -> None:
        async with stdio(environ(receiver), *COMMAND) as session:
            await called(session, receiver)

    asyncio.run(use())
    pipe = {"network.transport": "pipe"}
    assert check_one_trace(emission, receiver) == (pipe, pipe)


@pytest.mark.parametrize("transport", ["sse", "streamable-http"])
def test_http(transport: str, emission: Emission, receiver: Receiver) -> None:
    if transport == "streamable-http" and Version("1.8") > VERSION:
        pytest.skip("this version has no streamable HTTP")
    port = free_port()

    async def use() -> None:
        over = over_sse if transport == "sse" else over_http
        async with session_over(over(port)) as session:
            await called(session, receiver)

    with served(transport, port, environ(receiver), *COMMAND):
        asyncio.run(use())
    client, server = check_one_trace(emission, receiver)
    session = client.pop("mcp.session.id", None)
    assert (session is not None) == (transport == "streamable-http")
    assert server.pop("mcp.session.id", None) == session
    http = {"network.transport": "tcp", "network.protocol.name": "http"}
    assert client == {**http, "server.address": "127.0.0.1", "server.port": port}
    if Version("1.8") > VERSION:  # a message does not know its request
        assert server == {}
        return
    assert server.pop("client.port") > 0
    address = {"client.address": "127.0.0.1", "network.protocol.version": "1.1"}
    assert server == {**http, **address}


def test_a_server_without_telemetry(emission: Emission, receiver: Receiver) -> None:
    async def use() -> str:
        async with stdio(environ(receiver), sys.executable) as session:
            return (await session.call_tool("weather", {"city": "Bern"})).content[0].text

    assert asyncio.run(use()) == "sunny in Bern"
    assert [span.name for span in emission.spans if span.name == CALL] == [CALL]
    assert receiver.spans == []

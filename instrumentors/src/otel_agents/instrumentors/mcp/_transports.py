"""The transports of clients and servers, known by the streams that they yield."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.operations import error_type
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._connections import PIPE, Transport, connection_of, http_transport, opened_by
from ._http import scope_attributes

__all__ = [
    "dispatched",
    "http_client",
    "opened",
    "pipe",
    "session_closed",
    "url_client",
    "websocket",
]

_WRITE_STREAM = 3
"""The position of the stream in ``StreamableHTTPTransport.post_writer``."""


class _Opening(Observation):
    """Notes the streams that the context manager of a transport yields."""

    def __init__(self, transport: Transport) -> None:
        super().__init__()
        self._transport = transport

    def chunk(self, item: Any) -> object:
        """Note the streams."""
        opened_by(self._transport, *item[:2])
        return None


def pipe(telemetry: Telemetry, call: Call) -> Observation:
    """Observe ``stdio_client(parameters)`` or ``stdio_server()``."""
    return _Opening(PIPE)


def url_client(telemetry: Telemetry, call: Call) -> Observation:
    """Observe ``sse_client(url)`` or ``websocket_client(url)``."""
    return _Opening(http_transport(call.argument(0, "url")))


def websocket(telemetry: Telemetry, call: Call) -> Observation:
    """Observe ``websocket_server(scope, receive, send)``: one connection for all messages."""
    return _Opening(Transport(scope_attributes(call.argument(0, "scope"), "websocket")))


def http_client(telemetry: Telemetry, call: Call) -> None:
    """Note the stream of ``StreamableHTTPTransport.post_writer(client, reader, writer, stream)``.

    The transport learns the id of the session when the server responds.
    """
    transport = call.instance
    opened_by(
        http_transport(transport.url, transport), call.argument(_WRITE_STREAM, "write_stream")
    )


def opened(telemetry: Telemetry, call: Call) -> None:
    """Note the start of a session of mcp 1: ``BaseSession.__aenter__()``."""
    connection_of(call.instance)


def session_closed(telemetry: Telemetry, call: Call) -> Observation:
    """Record the session that ``BaseSession.__aexit__(type, error, traceback)`` of mcp 1 ends."""
    error: Any = call.argument(1, "exc_val")
    failed = error_type(error) if isinstance(error, Exception) else None
    connection = connection_of(call.instance)
    return Observation(ended=lambda: connection.closed(telemetry, failed))


def dispatched(telemetry: Telemetry, call: Call) -> Observation:
    """Record the session of ``JSONRPCDispatcher.run(…)`` of mcp 2, which lasts as long."""
    connection = connection_of(call.instance)
    failures: list[str] = []

    def failed(error: BaseException) -> None:
        if isinstance(error, Exception):
            failures.append(error_type(error))

    def ended() -> None:
        connection.closed(telemetry, failures[0] if failures else None)

    return Observation(failed=failed, ended=ended)

"""The patch table: where messages are sent and received, in mcp 1 and in mcp 2."""

from __future__ import annotations

from typing import Final

from otel_agents.instrumentors._core.calls.watching import instead, watch, within
from otel_agents.instrumentors._core.patching.patches import Patch

from . import _callbacks, _http, _native, _receiving, _sending, _transports

__all__ = ["PATCHES"]

_SESSION: Final = "mcp.shared.session:BaseSession"
_CLIENT: Final = "mcp.client.session:ClientSession"
_SERVER: Final = "mcp.server.session:ServerSession"

_FIRST: Final = (
    Patch(f"{_SESSION}.send_request", _sending.request, until="2"),
    Patch(f"{_SESSION}.send_notification", _sending.notification, until="2"),
    Patch(f"{_SESSION}.__aenter__", watch(_transports.opened), until="2"),
    Patch(f"{_SESSION}.__aexit__", _transports.session_closed, until="2"),
    Patch(f"{_CLIENT}._received_request", _receiving.client_request, until="2"),
    Patch(f"{_CLIENT}._received_notification", _receiving.client_notification, until="2"),
    Patch(f"{_SERVER}._received_request", _receiving.initialize, until="2"),
    Patch(f"{_SERVER}._received_notification", _receiving.notified_server, until="2"),
    Patch(f"{_CLIENT}._handle_incoming", within(_receiving.handler_context), until="2"),
    Patch("mcp.server.lowlevel.server:Server._handle_request", _receiving.handled, until="2"),
    Patch(
        "mcp.server.lowlevel.server:Server._handle_notification",
        within(_receiving.handler_context),
        until="2",
    ),
    Patch(
        "mcp.shared.session:RequestResponder.respond", watch(_receiving.response_sent), until="2"
    ),
)
"""mcp 1: a session sends requests of its own, and receives those of its peer."""

_DISPATCHER: Final = "mcp.shared.jsonrpc_dispatcher"
_DIRECT: Final = "mcp.shared.direct_dispatcher"
_RUNNER: Final = "mcp.server.runner:ServerRunner"

_SECOND: Final = (
    Patch(f"{_DISPATCHER}:JSONRPCDispatcher.send_raw_request", _sending.sent, since="2"),
    Patch(f"{_DISPATCHER}:JSONRPCDispatcher.notify", _sending.notified, since="2"),
    Patch(f"{_DISPATCHER}:JSONRPCDispatcher.run", _transports.dispatched, since="2"),
    Patch(f"{_DISPATCHER}:inject_trace_context", instead(_sending.injected), since="2"),
    Patch(f"{_DISPATCHER}:otel_span", instead(_sending.native_span), since="2"),
    Patch("mcp.server._otel:otel_span", instead(_sending.native_span), since="2"),
    Patch(f"{_DIRECT}:DirectDispatcher.send_raw_request", _sending.direct, since="2"),
    Patch(f"{_DIRECT}:DirectDispatcher.notify", _sending.notified, since="2"),
    Patch(f"{_RUNNER}._on_request", _receiving.served, since="2"),
    Patch(f"{_RUNNER}._on_notify", _receiving.served, since="2"),
    Patch(f"{_CLIENT}._on_request", _receiving.received_by_client, since="2"),
    Patch(f"{_CLIENT}._on_notify", _receiving.received_by_client, since="2"),
    Patch(f"{_CLIENT}.dispatch_input_request", _callbacks.input_request, since="2"),
)
"""mcp 2: a dispatcher sends for both sides, and calls the side that receives."""

_TRANSPORTS: Final = (
    Patch("mcp.client.stdio:stdio_client", _transports.pipe, decorated="func"),
    Patch("mcp.server.stdio:stdio_server", _transports.pipe, decorated="func"),
    Patch("mcp.client.sse:sse_client", _transports.url_client, decorated="func"),
    Patch(
        "mcp.client.websocket:websocket_client",
        _transports.url_client,
        decorated="func",
        until="2",
    ),
    Patch(
        "mcp.server.websocket:websocket_server",
        _transports.websocket,
        decorated="func",
        until="2",
    ),
    Patch(
        "mcp.client.streamable_http:StreamableHTTPTransport.post_writer",
        watch(_transports.http_client),
        since="1.8",
    ),
    Patch(
        "mcp.shared.message:ServerMessageMetadata.__init__",
        watch(_http.received),
        since="1.8",
    ),
)

_FASTMCP: Final = (Patch("fastmcp.telemetry:otel_get_tracer", instead(_native.tracer), since="3"),)

PATCHES: Final = (*_FIRST, *_SECOND, *_TRANSPORTS, *_FASTMCP)

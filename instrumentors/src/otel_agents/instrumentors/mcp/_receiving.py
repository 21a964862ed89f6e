"""Requests and notifications that this process receives, as a server or as a client."""

from __future__ import annotations

from typing import Any, Final
from weakref import ReferenceType, ref

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link, get_current_span

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations.kinds import short
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import McpMethod

from ._callbacks import callback_of
from ._connections import connection_of
from ._http import context_of, http_attributes, request_of
from ._messages import FREQUENT, Message
from ._meta import extracted, meta_of
from ._native import is_preferred, is_served_by_fastmcp
from ._requests import ReceivedMessage, current

__all__ = [
    "client_notification",
    "client_request",
    "handled",
    "handler_context",
    "initialize",
    "notified_server",
    "received_by_client",
    "response_sent",
    "served",
]

_NOTIFICATIONS: Final[Bounded[int, tuple[ReferenceType[Any], Context]]] = Bounded(1000)
"""The contexts of notifications of mcp 1, which it handles after its session has received them.

By their identity, since models have no hash.
"""


# mcp 1


def handled(telemetry: Telemetry, call: Call) -> ReceivedMessage | None:
    """Start ``Server._handle_request(responder, request, session, …)``."""
    if is_served_by_fastmcp(telemetry, call.instance):
        return None
    responder = call.argument(0, "message")
    message = Message.of(call.argument(1, "req"))
    return _with_responder(telemetry, message, call.argument(2, "session"), responder, True)


def initialize(telemetry: Telemetry, call: Call) -> ReceivedMessage | None:
    """Start ``ServerSession._received_request(responder)``, which handles ``initialize`` only."""
    responder = call.argument(0, "responder")
    message = Message.of(responder.request)
    if message.method != McpMethod.INITIALIZE.value:
        return None
    return _with_responder(telemetry, message, call.instance, responder, True)


def client_request(telemetry: Telemetry, call: Call) -> ReceivedMessage:
    """Start ``ClientSession._received_request(responder)``: the server sends a request."""
    responder = call.argument(0, "responder")
    message = Message.of(responder.request)
    operation = _with_responder(telemetry, message, call.instance, responder, False)
    callback = callback_of(telemetry, message, operation.context)
    if callback is not None:
        operation.handled_by(callback)
    return operation


def client_notification(telemetry: Telemetry, call: Call) -> ReceivedMessage:
    """Start ``_received_notification(notification)`` of a session of the client."""
    return _notification(telemetry, call, is_server=False)


def notified_server(telemetry: Telemetry, call: Call) -> ReceivedMessage:
    """Start ``ServerSession._received_notification(notification)``."""
    return _notification(telemetry, call, is_server=True)


def handler_context(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context of the notification for the application's handler, which runs later.

    ``ClientSession._handle_incoming(req)``, and ``Server._handle_notification(notify)``, which gets
    what is in the notification. They run where the session was opened.
    """
    message = call.args[0] if call.args else next(iter(call.kwargs.values()), None)
    received = getattr(message, "root", message)
    reference, context = _NOTIFICATIONS.pop(id(received)) or (None, None)
    return context if reference is not None and reference() is received else None


def _notification(telemetry: Telemetry, call: Call, *, is_server: bool) -> ReceivedMessage:
    notification = call.argument(0, "notification")
    operation = _received(telemetry, Message.of(notification), call.instance, is_server=is_server)
    received = getattr(notification, "root", notification)
    _NOTIFICATIONS.put(id(received), (ref(received), operation.context))
    return operation


def response_sent(telemetry: Telemetry, call: Call) -> None:
    """Record the response: ``RequestResponder.respond(response)``."""
    operation = current()
    if isinstance(operation, ReceivedMessage) and operation.responder is call.instance:
        operation.response_sent(call.argument(0, "response"))


def _with_responder(
    telemetry: Telemetry, message: Message, session: object, responder: Any, is_server: bool
) -> ReceivedMessage:
    operation = _received(
        telemetry,
        message,
        session,
        is_server=is_server,
        request=request_of(responder),
        request_id=responder.request_id,
    )
    operation.responder = responder
    return operation


# mcp 2


def served(telemetry: Telemetry, call: Call) -> ReceivedMessage | None:
    """Start ``ServerRunner._on_request`` or ``_on_notify(dispatch context, method, params)``."""
    if is_preferred(telemetry):
        return None
    channel, connection = call.argument(0, "dctx"), call.instance.connection
    session = getattr(connection, "session_id", None)
    operation = _received(
        telemetry,
        _message(call),
        _dispatcher(channel) or connection,
        is_server=True,
        request=request_of(channel),
        request_id=channel.request_id,
        ambient=_ambient(channel),
    )
    if operation.message.method != McpMethod.INITIALIZE.value:
        operation.attributes[attr.MCP_PROTOCOL_VERSION] = connection.protocol_version
    if session:
        operation.attributes[attr.MCP_SESSION_ID] = session
    return operation


def received_by_client(telemetry: Telemetry, call: Call) -> ReceivedMessage | None:
    """Start ``ClientSession._on_request`` or ``_on_notify(dispatch context, method, params)``."""
    if is_preferred(telemetry):
        return None
    channel = call.argument(0, "dctx")
    return _received(
        telemetry,
        _message(call),
        call.instance._dispatcher,
        is_server=False,
        request_id=channel.request_id,
        ambient=_ambient(channel),
    )


def _message(call: Call) -> Message:
    return Message(call.argument(1, "method"), call.argument(2, "params"))


def _dispatcher(channel: Any) -> object:
    inner = getattr(channel, "_inner", channel)
    return getattr(inner, "_dispatcher", None)


def _ambient(channel: Any) -> Context | None:
    """Return the context of a caller in this process; None if the message has travelled."""
    return get_current() if getattr(channel.transport, "kind", None) == "direct" else None


# Both


def _received(
    telemetry: Telemetry,
    message: Message,
    owner: object,
    *,
    is_server: bool,
    request: Any = None,
    request_id: Any = None,
    ambient: Context | None = None,
) -> ReceivedMessage:
    """Start the operation in the context that the message carries.

    The current context is not the message's: it is that of the first message of the session, or of
    whoever started the server. Without one of its own it belongs to the request that waits for it.
    """
    http = context_of(request)
    base = ambient or http
    if base is None:
        base = (None if is_server else connection_of(owner).only_pending()) or Context()
    parent = extracted(meta_of(message.params), base)
    known = http_attributes(request)
    if request_id is not None:
        known[attr.JSONRPC_REQUEST_ID] = short(str(request_id))
    return ReceivedMessage(
        telemetry,
        message,
        owner,
        parent=parent,
        is_server=is_server,
        known=known,
        links=_links(http, parent),
        has_span=message.method not in FREQUENT,
    )


def _links(http: Context | None, parent: Context) -> list[Link]:
    """Return a link to the span of the HTTP request, unless that is the parent."""
    carrying = get_current_span(http).get_span_context() if http is not None else None
    if carrying is None or not carrying.is_valid:
        return []
    is_parent = get_current_span(parent).get_span_context() == carrying
    return [] if is_parent else [Link(carrying)]

"""The HTTP request that carries a message to a server: its context, its session, its client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations.kinds import short
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

__all__ = ["context_of", "http_attributes", "received", "request_of", "scope_attributes"]

_SESSION: Final = "mcp-session-id"

_CONTEXTS: Final[ByObject[object, Context]] = ByObject()
"""By the request: a server of mcp 1 handles all messages of a session where the first arrived."""


def received(telemetry: Telemetry, call: Call) -> None:
    """Keep the context of a request: ``ServerMessageMetadata(related_request_id, request)``."""
    request = call.argument(1, "request_context")
    if request is not None:
        _CONTEXTS[request] = get_current()


def request_of(message: Any) -> Any:
    """Return the HTTP request of a message with ``message_metadata``; None for other transports."""
    metadata: Any = getattr(message, "message_metadata", None)
    return getattr(metadata, "request_context", None)


def context_of(request: Any) -> Context | None:
    """Return the context in which ``request`` arrived."""
    return _CONTEXTS.get(request) if request is not None else None


def http_attributes(request: Any) -> dict[str, Any]:
    """Return the attributes of a message that ``request`` carries."""
    scope: Any = getattr(request, "scope", None)
    if not isinstance(scope, Mapping):
        return {}
    known = scope_attributes(cast("Mapping[str, Any]", scope), "http")
    session = short(request.headers.get(_SESSION))
    return {**known, attr.MCP_SESSION_ID: session} if session else known


def scope_attributes(scope: Mapping[str, Any], protocol: str) -> dict[str, Any]:
    """Return the attributes of the connection that an ASGI server describes by ``scope``."""
    client: Any = scope.get("client") or (None, None)
    found = {
        attr.NETWORK_TRANSPORT: "tcp",
        attr.NETWORK_PROTOCOL_NAME: protocol,
        attr.NETWORK_PROTOCOL_VERSION: scope.get("http_version") if protocol == "http" else None,
        attr.CLIENT_ADDRESS: client[0],
        attr.CLIENT_PORT: client[1] if client[0] else None,
    }
    return {name: value for name, value in found.items() if value}

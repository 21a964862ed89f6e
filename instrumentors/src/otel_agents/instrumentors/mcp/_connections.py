"""What is known of a connection: its transport, protocol version, session and pending requests."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._messages import INVALID, REPEATABLE, code_of
from ._sessions import McpSession

__all__ = [
    "PIPE",
    "Connection",
    "Transport",
    "connection_of",
    "http_transport",
    "opened_by",
    "transport_of",
]

_PORTS: Final = MappingProxyType({"http": 80, "https": 443, "ws": 80, "wss": 443})
_KEYS: Final = ("_meta", "traceparent", "tracestate")
"""Words by which a peer may name what it rejects."""
_STREAMS: Final = ("_write_stream", "_read_stream")
"""The attributes of a session of mcp 1, and of a dispatcher of mcp 2."""


class Transport:
    """How messages travel.

    Args:
        attributes: The attributes of the network.
        source: Has the ``session_id``, if the server gave one.
    """

    __slots__ = ("_attributes", "_source")

    def __init__(self, attributes: Mapping[str, Any], source: Any = None) -> None:
        self._attributes = MappingProxyType({**attributes})
        self._source = source

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of a request that travels now."""
        session: Any = getattr(self._source, "session_id", None)
        known = dict(self._attributes)
        return {**known, attr.MCP_SESSION_ID: session} if session else known


PIPE: Final = Transport({attr.NETWORK_TRANSPORT: "pipe"})
"""Standard input and output."""


def http_transport(url: object, source: Any = None) -> Transport:
    """Return the transport of a client that connects to ``url``."""
    parts = urlsplit(str(url))
    protocol = "websocket" if parts.scheme in ("ws", "wss") else "http"
    known: dict[str, Any] = {
        attr.NETWORK_TRANSPORT: "tcp",
        attr.NETWORK_PROTOCOL_NAME: protocol,
    }
    if parts.hostname:
        known[attr.SERVER_ADDRESS] = parts.hostname
        known[attr.SERVER_PORT] = parts.port or _PORTS.get(parts.scheme, 80)
    return Transport(known, source)


class Connection:
    """A connection to a peer: a session of mcp 1, a dispatcher of mcp 2.

    Attributes:
        accepts: Whether the peer accepts our keys in ``_meta``; None until it is known.
        protocol_version: ``mcp.protocol.version``.
        server_side: Whether this process is the server; None until ``initialize``.
        wire: The attributes of the ``initialize`` request, for the session's metric.
        pending: The requests that wait for a result, by weak references.
    """

    __slots__ = (
        *("_context", "_started", "accepts", "pending", "protocol_version"),
        *("server_side", "wire"),
    )

    def __init__(self) -> None:
        self._context = get_current()
        self._started = time.perf_counter()
        self.accepts: bool | None = None
        self.protocol_version: str | None = None
        self.server_side: bool | None = None
        self.wire: dict[str, Any] = {}
        self.pending: weakref.WeakSet[Any] = weakref.WeakSet()

    def may_have_rejected(self, method: str, error: Exception) -> bool:
        """Return whether ``error`` may be about what we added to ``_meta``.

        Of a request that must not be repeated the error must say so itself.
        """
        if self.accepts is False or code_of(error) not in INVALID:
            return False
        holder: Any = getattr(error, "error", error)
        reason = f"{getattr(holder, 'message', '')} {getattr(holder, 'data', '')}".lower()
        if any(key in reason for key in _KEYS):
            return True
        return self.accepts is None and method in REPEATABLE

    def initialized(self, server_side: bool, attributes: Mapping[str, Any]) -> None:
        """Note that a session has begun."""
        self.server_side, self.wire = server_side, dict(attributes)

    def only_pending(self) -> Context | None:
        """Return the context of the request that waits, if there is just one."""
        waiting = [one for one in self.pending if not one.ended]
        return waiting[0].context if len(waiting) == 1 else None

    def closed(self, telemetry: Telemetry, error_type: str | None) -> None:
        """Record the session, if there was one."""
        if self.server_side is None:
            return
        seconds = time.perf_counter() - self._started
        session = McpSession(
            telemetry, server_side=self.server_side, context=self._context, seconds=seconds
        )
        self.server_side = None
        known = {**self.wire, attr.MCP_PROTOCOL_VERSION: self.protocol_version}
        known[attr.ERROR_TYPE] = error_type
        session.record({name: value for name, value in known.items() if value is not None})


_CONNECTIONS: Final[ByObject[object, Connection]] = ByObject()
_TRANSPORTS: Final[ByObject[object, Transport]] = ByObject()
"""By the streams that a transport yields."""


def connection_of(owner: object) -> Connection:
    """Return the connection of a session of mcp 1, or of a dispatcher of mcp 2."""
    found = _CONNECTIONS.get(owner)
    return found if found is not None else _CONNECTIONS.setdefault(owner, Connection())


def opened_by(transport: Transport, *streams: object) -> None:
    """Note that ``streams`` belong to ``transport``."""
    for stream in streams:
        _TRANSPORTS[_inner(stream)] = transport


def transport_of(owner: object) -> Transport | None:
    """Return the transport of a session or a dispatcher; None if it is in memory."""
    streams = (getattr(owner, name, None) for name in _STREAMS)
    known = (_TRANSPORTS.get(_inner(stream)) for stream in streams if stream is not None)
    return next((one for one in known if one is not None), None)


def _inner(stream: Any) -> object:
    """Return the stream of anyio: that of mcp 2 around it takes no weak reference."""
    return getattr(stream, "_inner", stream)

"""Sessions of the Model Context Protocol, which only metrics record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.context import Context

from otel_agents.instrumentors._core.operations import kinds
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["McpSession"]


class McpSession:
    """A session that is over.

    Args:
        telemetry: What to emit with.
        server_side: Whether this process is the server.
        context: The context of the session.
        seconds: Its duration.
    """

    __slots__ = ("_server_side", "_telemetry", "context", "duration")

    def __init__(
        self, telemetry: Telemetry, *, server_side: bool, context: Context, seconds: float
    ) -> None:
        self._telemetry = telemetry
        self._server_side = server_side
        self.context = context
        self.duration = seconds

    def record(self, attributes: Mapping[str, Any]) -> None:
        """Record the metric with those of ``attributes`` that it has."""
        measures = kinds.MCP_SERVER_SESSION if self._server_side else kinds.MCP_CLIENT_SESSION
        self._telemetry.instruments.measure(measures, self, attributes)

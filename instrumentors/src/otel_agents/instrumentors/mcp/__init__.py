"""Instrumentor for the Model Context Protocol: clients and servers of ``mcp`` and ``fastmcp``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["McpInstrumentor"]


class McpInstrumentor(AgentInstrumentor):
    """Record what clients and servers of the protocol send, in one trace across their processes.

    A call of a tool that a framework records itself gets the protocol's attributes there.

    Example:
        >>> from otel_agents.instrumentors.mcp import McpInstrumentor
        >>> instrumentor = McpInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of mcp
        >>> # each ``await session.call_tool(name)`` is one trace from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "mcp"
    requires = ("mcp >= 1.6, < 3",)
    packages = ("mcp", "fastmcp")
    conflicting = (
        "openinference-instrumentation-mcp",
        "opentelemetry-instrumentation-mcp",
        "splunk-otel-instrumentation-fastmcp",
    )
    own_telemetry = "the spans of mcp 2 and of fastmcp"
    covers = (
        "clients and servers, also of `fastmcp`; stdio, streamable HTTP, SSE, WebSocket, in memory",
        "one trace across processes, in both directions; sessions",
        "tools, prompts, resources, sampling, elicitation, roots, notifications",
        "protocol 2026-07-28 (mcp 2)",
    )

    def patches(self) -> Iterable[Patch]:
        """Return the methods that send and receive, and those that open a transport."""
        from ._tables import PATCHES

        return PATCHES

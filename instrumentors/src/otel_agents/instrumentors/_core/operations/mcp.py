"""Requests and notifications of the Model Context Protocol, on either side, and its sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.context.scope import scope_of, with_scope
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from . import kinds
from .operation import Operation
from .owner import FOREIGN_SPAN, OURS

__all__ = ["McpRequest", "McpSession"]


class McpRequest(Operation):
    """A request or notification of the Model Context Protocol (MCP semconv, client and server).

    Example:
        >>> def call_tool(telemetry, call):
        ...     return McpRequest(telemetry, "tools/call", tool=call.argument(0, "name"))
        >>> patch = Patch("house:Session.call_tool", call_tool)

    Args:
        telemetry: What to emit with.
        method: ``mcp.method.name``.
        tool: The tool of a ``tools/call``.
        prompt: The prompt of a ``prompts/get``.
        server_side: Whether this process is the server of the request.
        has_span: Whether it is a span of its own; False if that of a tool covers it, so that only
            its metrics are emitted.
        parent: The parent context; default is the current one.
        links: Links of the span, such as to the HTTP request that carried it.
    """

    __slots__ = ("_agent",)

    def __init__(
        self,
        telemetry: Telemetry,
        method: str,
        *,
        tool: str | None = None,
        prompt: str | None = None,
        server_side: bool = False,
        has_span: bool = True,
        parent: Context | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        parent = get_current() if parent is None else parent
        tool, prompt = kinds.short(tool), kinds.short(prompt)
        target = tool or prompt
        start_attributes = {
            attr.MCP_METHOD_NAME: method,
            attr.GEN_AI_TOOL_NAME: tool,
            attr.GEN_AI_PROMPT_NAME: prompt,
            attr.GEN_AI_OPERATION_NAME: values.Operation.EXECUTE_TOOL.value if tool else None,
            attr.OTEL_AGENTS_STEP_TYPE: None if tool else "mcp_request",
        }
        scope = scope_of(parent)
        super().__init__(
            telemetry,
            kinds.MCP_SERVER if server_side else kinds.MCP_CLIENT,
            f"{method} {target}" if target else method,
            {name: value for name, value in start_attributes.items() if value is not None},
            parent=parent,
            links=links,
            owner=OURS if has_span else FOREIGN_SPAN,
            scope=scope,
        )
        calls_tool = bool(tool) and not server_side and scope.tool is None
        self._agent = scope.agent if calls_tool else None
        if server_side:  # what the server calls is not the work of the agent that called it
            self.context = with_scope(self.context, agent=None, tool=None)

    def _finalize(self) -> None:
        if self._agent is not None:
            self._agent.add_tool()


class McpSession:
    """A session of the Model Context Protocol, which only metrics record.

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

"""Tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context

from otel_agents.instrumentors._core.operations import ExecuteTool
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import values

if TYPE_CHECKING:
    from langchain_core.messages import ToolMessage

__all__ = ["tool"]


class _Tool(ExecuteTool):
    """One call of a tool."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the result; a message with the status ``error`` is a handled error."""
        if getattr(value, "status", None) == "error":
            self.mark_failed(values.MCP_TOOL_ERROR)
        super().respond(value)


def tool(
    telemetry: Telemetry, name: str, arguments: Any, details: Mapping[str, Any]
) -> Callable[[Context], ExecuteTool]:
    """Return what starts a tool.

    Args:
        telemetry: What to emit with.
        name: The tool's name.
        arguments: Its arguments.
        details: What else LangChain reports; older versions report no id of the call.
    """
    call_id = details.get("tool_call_id")
    return lambda parent: _Tool(
        telemetry,
        name,
        call_id=call_id if isinstance(call_id, str) else None,
        arguments=arguments,
        result=_result,
        parent=parent,
    )


def _result(value: ToolMessage | Any) -> Any:
    """Return what a tool returned: the content of the message that LangChain makes of it."""
    return value.content if hasattr(value, "tool_call_id") else value

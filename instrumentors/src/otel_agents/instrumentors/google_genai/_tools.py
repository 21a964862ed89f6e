"""Functions and MCP tools that the SDK calls for the model (automatic function calling)."""

from __future__ import annotations

import inspect
from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ExecuteTool, error_type
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.google.spellings import field, items, text
from otel_agents.semconv import attributes as attr

from ._traces import parent

__all__ = ["call_function", "call_mcp_tool", "with_call_ids"]

_PENDING: Final = Slot[list[Any]]("google-genai-function-calls", list)
"""The function calls of a response that were not executed yet, in the model's order."""

_INVOCATION_ERROR: Final = "FunctionInvocationError"


def with_call_ids(telemetry: Telemetry, call: Call) -> Context | None:
    """Return a context with a response's calls: the functions below get their arguments alone."""
    response = call.argument(0, "response")
    candidate = next(iter(items(response, "candidates")), None)
    parts = items(field(candidate, "content"), "parts")
    calls = [one for part in parts if (one := field(part, "function_call")) is not None]
    return _PENDING.set(calls) if calls else None


def call_function(telemetry: Telemetry, call: Call) -> ExecuteTool:
    """Start at ``invoke_function_from_dict_args(args, function_to_invoke)`` or its async twin."""
    function = call.argument(1, "function_to_invoke")
    name: str = getattr(function, "__name__", type(function).__name__)
    tool = FunctionCall(
        telemetry,
        name,
        call_id=_call_id(name),
        arguments=call.argument(0, "args"),
        result=lambda value: value,
        parent=parent(get_current()),
    )
    description = inspect.getdoc(function) if tool.detailed else None
    if description:
        tool.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description
    return tool


def call_mcp_tool(telemetry: Telemetry, call: Call) -> ExecuteTool:
    """Start at ``McpToGenAiToolAdapter.call_tool(function_call)``."""
    function_call = call.argument(0, "function_call")
    name = text(function_call, "name") or ""
    return McpToolCall(
        telemetry,
        name,
        call_id=_call_id(name),
        arguments=field(function_call, "args"),
        result=lambda value: value,
        parent=parent(get_current()),
    )


def _call_id(name: str) -> str | None:
    """Return the id of the next call of this function; the model may call it several times."""
    pending = _PENDING.get() or []
    for position, one in enumerate(pending):
        if text(one, "name") == name:
            del pending[position]
            return text(one, "id")
    return None


class FunctionCall(ExecuteTool):
    """A call of an application's function."""

    __slots__ = ()

    def conclude(self) -> None:
        """Record what the function raised: the SDK's error has the arguments in its text."""
        error = self.error
        if type(error).__name__ == _INVOCATION_ERROR and error and error.__context__ is not None:
            self.error = error.__context__
            self.error_type = error_type(self.error)


class McpToolCall(ExecuteTool):
    """A call of a tool of an MCP server, which may report an error as its result."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the result."""
        super().respond(value)
        if getattr(value, "isError", False) or getattr(value, "is_error", False):
            self.mark_failed("tool_error")

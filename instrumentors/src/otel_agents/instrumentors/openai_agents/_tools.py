"""Tools and handoffs, by the SDK's spans; the calls' ids come from the model's response."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import name_remote_tool
from otel_agents.instrumentors._core.operations import ExecuteTool, Operation
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import text
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import MCP_TOOL_ERROR, ToolType

from ._frames import RUNS, Frame, current_frame, current_run

if TYPE_CHECKING:
    from agents.tracing import Span
    from agents.tracing.span_data import FunctionSpanData, HandoffSpanData

__all__ = [
    "EXECUTION",
    "INVOCATIONS",
    "call_known",
    "guardrails_passed",
    "handoff",
    "handoff_ended",
    "invocation",
    "may_not_run",
    "mcp_result",
    "record_call",
    "remote_tool",
    "reported",
    "shows_invocations",
    "timed_out",
    "tool",
    "tool_ended",
]

EXECUTION: Final = "agents.run_internal.tool_execution"
INVOCATIONS: Final = ("_invoke_function_tool_with_metadata", "invoke_function_tool")
"""The functions that execute a tool; each version from 0.9 on has one of them there."""

_IS_ERROR: Final = ("isError", "is_error")
"""What a result of mcp 1 and 2 calls it."""


def tool(telemetry: Telemetry, span: Span[FunctionSpanData], parent: Context) -> ExecuteTool:
    """Start the call of a function tool."""
    run, name = current_run(), span.span_data.name
    request = run.take_request(name) if run is not None else None
    return ExecuteTool(telemetry, name, call_id=text(request, "call_id"), parent=parent)


def may_not_run(above: Frame | None) -> bool:
    """Return whether a tool below ``above`` may have a span although it is not executed.

    That is so for the runner's own spans, in versions with approvals.
    """
    is_runners = above is not None and above.run is not None and above.run.is_own(above)
    return is_runners and shows_invocations()


def shows_invocations() -> bool:
    """Return whether this version has a function that executes a tool, and nothing else."""
    execution = sys.modules.get(EXECUTION)
    return any(hasattr(execution, name) for name in INVOCATIONS)


def tool_ended(span: Span[FunctionSpanData], tool: ExecuteTool) -> None:
    """Record what the tool got and returned."""
    record_call(span, tool)
    tool.end()


def record_call(span: Span[FunctionSpanData], tool: ExecuteTool) -> None:
    """Record arguments and result, which the span has unless the run excludes such data.

    The result of a tool that failed is what the SDK returns to the model instead.
    """
    data = span.span_data
    if data.mcp_data is not None:
        tool.attributes[attr.GEN_AI_TOOL_TYPE] = ToolType.EXTENSION.value
    if tool.content.enabled:
        tool.content.tool_arguments = data.input
        tool.content.tool_result = data.output


def handoff(telemetry: Telemetry, span: Span[HandoffSpanData], parent: Context) -> ExecuteTool:
    """Start a handoff: the tool that the model called."""
    run = current_run()
    request = run.take_handoff() if run is not None else None
    name = text(request, "name") or "handoff"
    tool = ExecuteTool(telemetry, name, call_id=text(request, "call_id"), parent=parent)
    if tool.content.enabled:
        tool.content.tool_arguments = text(request, "arguments")
    return tool


def handoff_ended(span: Span[HandoffSpanData], tool: ExecuteTool) -> None:
    """Record the next agent as the result."""
    if tool.content.enabled and span.span_data.to_agent:
        tool.content.tool_result = {"assistant": span.span_data.to_agent}
    tool.end()


def invocation(telemetry: Telemetry, call: Call) -> None:
    """Note that a tool is executed: ``invoke_function_tool(function_tool=, context=, …)``."""
    frame = current_frame()
    if frame is None:
        return
    frame.executed = True
    found = RUNS.find(frame.key)
    call_id: Any = getattr(call.kwargs.get("context"), "tool_call_id", None)
    if found is not None and isinstance(found.operation, ExecuteTool) and call_id:
        found.operation.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id


def call_known(telemetry: Telemetry, call: Call) -> None:
    """Note the call's id: ``ToolContext.from_agent_context(context, tool_call_id, …)``.

    A resumed run executes calls of a response that it has not seen.
    """
    found = RUNS.current()
    call_id: Any = call.argument(1, "tool_call_id")
    if found is not None and isinstance(found.operation, ExecuteTool) and call_id:
        found.operation.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id


def guardrails_passed(telemetry: Telemetry, call: Call, rejection: str | None) -> None:
    """Note a call that a guardrail of its tool rejects: the model gets a message instead."""
    frame = current_frame()
    if frame is not None:
        frame.is_decided = True
        frame.executed = frame.executed and rejection is None


def remote_tool(telemetry: Telemetry, call: Call) -> None:
    """Note the server's name of a tool: ``MCPUtil.invoke_mcp_tool(server, tool, …)``.

    The model may know it by a longer name, of which a hash is the end.
    """
    name_remote_tool(getattr(call.argument(1, "tool"), "name", None))


def mcp_result(telemetry: Telemetry, call: Call, result: Any) -> None:
    """Note whether a tool failed: ``MCPServer.call_tool(…)`` returns its error to the model."""
    frame = current_frame()
    if frame is not None:
        frame.reports_error = any(getattr(result, name, False) is True for name in _IS_ERROR)


def reported(span: Span[FunctionSpanData], operation: Operation | None) -> None:
    """Record the error that a server has returned, unless the application called it."""
    if isinstance(operation, ExecuteTool) and span.span_data.mcp_data is not None:
        operation.mark_failed(MCP_TOOL_ERROR)


def timed_out(telemetry: Telemetry, call: Call) -> None:
    """Note that a tool takes too long: ``ToolTimeoutError(…)``, which may go to the model alone."""
    frame = current_frame()
    data = getattr(frame.key, "span_data", None) if frame is not None else None
    if frame is not None and text(data, "name") == call.argument(0, "tool_name"):
        frame.error = call.instance

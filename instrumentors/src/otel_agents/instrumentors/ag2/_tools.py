"""The tools that an agent has in a turn, and their execution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver, Observation
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ExecuteTool, error_type
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._messages import tool_arguments, tool_result

if TYPE_CHECKING:
    from ag2 import Agent
    from ag2.events import ToolCallEvent

__all__ = ["Tools", "function_tool", "tool_execution"]

_CLIENT_TOOL: Final = "ClientTool"
_FUNCTION_TOOL: Final = "FunctionTool"
_HOOKED_CALL: Final = Slot("ag2-hooked", str)
"""The id of the call whose tool decides by its own hooks whether it is executed."""


class Tools:
    """The tools of an agent, and the additional ones of a turn.

    Args:
        agent: The agent.
        additional: The additional tools of the turn.
    """

    __slots__ = ("_additional", "_agent")

    def __init__(self, agent: Agent, additional: Iterable[Any]) -> None:
        self._agent = agent
        self._additional = additional

    def find(self, name: str) -> Any:
        """Return the tool of that name, None where there is none."""
        tools = _flattened((*getattr(self._agent, "tools", ()), *self._additional))
        return next((tool for tool in tools if getattr(tool, "name", None) == name), None)


def _flattened(tools: Iterable[Any]) -> Iterator[Any]:
    """Yield the tools, and those in toolkits."""
    for tool in tools:
        yield tool
        inner = getattr(tool, "tools", ())
        if isinstance(inner, (list, tuple)):
            yield from inner


class _ToolRun(ExecuteTool):
    """One execution of a tool, below every middleware."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the result or the tool's exception, which AG2 returns to the model as a result."""
        error = getattr(value, "error", None)
        if isinstance(error, BaseException):
            self.error, self.error_type = error, error_type(error)
        elif self.content.enabled:
            self.content.tool_result = tool_result(value)


def tool_execution(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Start at ``on_tool_execution(call_next, event, context)``.

    A ``ClientTool`` is executed by the caller and not here. A ``FunctionTool`` runs its own hooks
    first, which may prevent the execution: `function_tool` starts below them.
    """
    call_next, event = call.args[0], call.args[1]
    if type(call_next).__name__ == _CLIENT_TOOL:
        return None
    if hasattr(call_next, "schema"):
        return _run(telemetry, call_next, event)
    tool = call.instance.tools.find(event.name)
    if type(tool).__name__ == _FUNCTION_TOOL:
        return Observation(_HOOKED_CALL.set(event.id))
    return _run(telemetry, tool, event)


def function_tool(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Start at ``FunctionTool.__call__(event, context)``, below the tool's own hooks."""
    event: ToolCallEvent = call.argument(0, "event")
    return _run(telemetry, call.instance, event) if _HOOKED_CALL.get() == event.id else None


def _run(telemetry: Telemetry, tool: Any, event: ToolCallEvent) -> _ToolRun:
    run = _ToolRun(telemetry, str(event.name), call_id=event.id)
    description = _description(tool)
    if description:
        run.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description
    if telemetry.gate.enabled:
        run.content.tool_arguments = tool_arguments(event)
    run.context = _HOOKED_CALL.set(None, run.context)
    scope = scope_of(run.context).tool
    if scope is not None:
        scope.remote_name = getattr(tool, "_remote_name", None)  # of an MCP server
    return run


def _description(tool: Any) -> str | None:
    """Return the description of a tool as it was written."""
    function = getattr(getattr(tool, "schema", None), "function", None)
    description = getattr(function, "description", None)
    return description if isinstance(description, str) and description else None

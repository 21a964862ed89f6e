"""The tools that an agent has in a turn, and their execution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver, Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ExecuteTool, error_type
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._messages import arguments, result

__all__ = ["Tools", "executed", "unhooked"]

_CLIENT_TOOL: Final = "ClientTool"
_FUNCTION_TOOL: Final = "FunctionTool"
_HOOKED: Final = Slot("ag2-hooked", str)
"""The id of a call that the hooks of a tool decide about."""


class Tools:
    """The tools of an agent, and those that it was given for a turn.

    Args:
        agent: The agent.
        given: What it was given for the turn.
    """

    __slots__ = ("_agent", "_given")

    def __init__(self, agent: Any, given: Iterable[Any]) -> None:
        self._agent = agent
        self._given = given

    def find(self, name: str) -> Any:
        """The tool of that name, None where none is known."""
        known = (*getattr(self._agent, "tools", ()), *self._given)
        return next((one for one in _each(known) if getattr(one, "name", None) == name), None)


def _each(tools: Iterable[Any]) -> Iterator[Any]:
    """The tools, and those in toolkits."""
    for tool in tools:
        yield tool
        inner = getattr(tool, "tools", ())
        if isinstance(inner, (list, tuple)):
            yield from inner


class _ToolRun(ExecuteTool):
    """One execution of a tool, below every middleware."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Keep the result; what a tool has raised is one, which goes to the model."""
        error = getattr(value, "error", None)
        if isinstance(error, BaseException):
            self.error, self.error_type = error, error_type(error)
        elif self.content.enabled:
            self.content.tool_result = result(value)


def executed(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """``on_tool_execution(call_next, event, context)``; a client's tool is executed elsewhere.

    What has hooks of its own is not executed before they are done with it, and may never be.
    """
    following, event = call.args[0], call.args[1]
    if type(following).__name__ == _CLIENT_TOOL:
        return None
    if hasattr(following, "schema"):
        return _run(telemetry, following, event)
    tool = call.instance.tools.find(event.name)
    if type(tool).__name__ == _FUNCTION_TOOL:
        return Observation(_HOOKED.set(event.id))
    return _run(telemetry, tool, event)


def unhooked(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """``FunctionTool.__call__(event, context)``: below its own hooks, if it has some."""
    event: Any = call.argument(0, "event")
    return _run(telemetry, call.instance, event) if _HOOKED.get() == event.id else None


def _run(telemetry: Telemetry, tool: Any, event: Any) -> _ToolRun:
    run = _ToolRun(telemetry, str(event.name))
    run.attributes[attr.GEN_AI_TOOL_CALL_ID] = event.id
    description = _description(tool)
    if description:
        run.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description
    if telemetry.gate.enabled:
        run.content.tool_arguments = arguments(event)
    run.context = _HOOKED.set(None, run.context)
    return run


def _description(tool: Any) -> str | None:
    """What a tool is said to be good for, as it was written."""
    function = getattr(getattr(tool, "schema", None), "function", None)
    description = getattr(function, "description", None)
    return description if isinstance(description, str) and description else None

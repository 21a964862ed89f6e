"""Tools, by the events that enclose a call."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry.context import Context, attach, create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.operations import ExecuteTool
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._descriptions import tool_of, written_description
from ._models import chunk_came, current_answer
from ._requested import key_of
from ._runs import agent_run, without_agent_run

__all__ = ["LookUp", "ToolRun", "current_tool", "emitted", "looked_up"]

_TOOL: Final = create_key("otel_agents-crewai-tool")
_found: ContextVar[Any] = ContextVar("otel_agents-crewai-found", default=None)
"""The name of the tool whose next call was found in the cache before it is announced."""


class ToolRun(ExecuteTool):
    """A tool's call between two events: the first makes it current, the second undoes that."""

    __slots__ = ("outer", "run")

    def __init__(
        self, telemetry: Telemetry, name: str, arguments: Any, parent: Context | None = None
    ) -> None:
        self.outer: Context = get_current() if parent is None else parent
        super().__init__(telemetry, name, parent=self.outer)
        self.run = agent_run(self.outer)
        if self.run is not None:
            self.run.tools.append(self)
            call_id = _taken(self.run.calls, name, arguments)
            if call_id is not None:
                self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id
        if telemetry.gate.wanted:
            self.content.tool_arguments = arguments
        self.context = set_value(_TOOL, self, without_agent_run(self.context))

    def describe(self, tool: Any) -> None:
        """Keep the description that was written for the tool; None where nobody knows the tool."""
        description = written_description(tool) if self.detailed else None
        if description:
            self.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description

    def respond(self, value: Any) -> None:
        """Keep the result."""
        if self._gate.wanted:
            self.content.tool_result = value

    def discard(self) -> None:
        """Nothing is executed after all; the agent's run goes on without it."""
        super().discard()
        self._leave()

    def end(self) -> None:
        """End; the agent's run need not."""
        self._leave()
        super().end()

    def _leave(self) -> None:
        if self.run is not None and self in self.run.tools:
            self.run.tools.remove(self)


def _taken(calls: list[tuple[str, str]], name: str, arguments: Any) -> str | None:
    """The id of the first call that the model asked for so, and that no tool has answered."""
    key = key_of(name, arguments)
    for position, (asked, call_id) in enumerate(calls):
        if asked == key:
            del calls[position]
            return call_id
    return None


def emitted(telemetry: Telemetry) -> Begin:
    """``CrewAIEventsBus.emit(source, event)``, which runs where the event happens."""

    def begin(call: Call) -> None:
        source, event = (
            call.kwargs[name] if name in call.kwargs else call.args[place]
            for place, name in enumerate(("source", "event"))
        )
        handle = _HANDLERS.get(getattr(event, "type", None))
        if handle is not None:
            handle(telemetry, source, event)

    return begin


def current_tool() -> ToolRun | None:
    """The innermost call of a tool that this is in."""
    found = get_value(_TOOL)
    return found if isinstance(found, ToolRun) else None


def _started(telemetry: Telemetry, source: Any, event: Any) -> None:
    run = ToolRun(telemetry, str(event.tool_name), event.tool_args)
    run.describe(tool_of(source, event))
    attach(run.context)
    if _found.get() == run.subject:
        run.discard()
    _found.set(None)


def _ended(event: Any) -> ToolRun | None:
    """The call that the event ends, no more current; None where its beginning was not seen."""
    tool = current_tool()
    if tool is None or tool.subject != str(event.tool_name):
        return None
    attach(tool.outer)
    return tool


def _finished(telemetry: Telemetry, source: Any, event: Any) -> None:
    tool = _ended(event)
    if tool is None:
        return
    failure = getattr(event, "failure", None)
    if failure is not None:
        reason = getattr(failure, "reason", None)
        tool.reject(str(getattr(reason, "value", reason)) if reason is not None else None)
    tool.returned(event.output)


def _failed(telemetry: Telemetry, source: Any, event: Any) -> None:
    tool = _ended(event)
    if tool is None:
        return
    if isinstance(event.error, BaseException):
        tool.failed(event.error)
    else:
        tool.reject(None)
        tool.end()


def _answered(telemetry: Telemetry, source: Any, event: Any) -> None:
    asked = current_answer()
    if asked is not None:
        asked.completed(event)


def _chunked(telemetry: Telemetry, source: Any, event: Any) -> None:
    chunk_came(event)


def _refused(telemetry: Telemetry, source: Any, event: Any) -> None:
    asked, error = current_answer(), sys.exc_info()[1]
    if asked is not None and error is not None:
        asked.failing(error)


_HANDLERS: Final[dict[Any, Callable[[Telemetry, Any, Any], None]]] = {
    "llm_call_completed": _answered,
    "llm_call_failed": _refused,
    "llm_stream_chunk": _chunked,
    "tool_usage_error": _failed,
    "tool_usage_finished": _finished,
    "tool_usage_started": _started,
}


class LookUp(Passing):
    """Asks, between the announcement of a call and the call, for what would do instead of it."""

    def __init__(self, tool: ToolRun) -> None:
        super().__init__(get_current())
        self._tool = tool

    def returned(self, value: Any) -> Any:
        """What is found is not executed."""
        if value is not None and value is not False:
            self._tool.discard()
        return value


class _EarlyLookUp(Passing):
    """Asks before the call is announced, as versions up to 1.14 do."""

    def __init__(self, name: Any) -> None:
        super().__init__(get_current())
        self._name = name

    def returned(self, value: Any) -> Any:
        """What is found is announced all the same, and not executed."""
        _found.set(None if value is None else self._name)
        return value


def looked_up(telemetry: Telemetry) -> Begin:
    """``CacheHandler.read(tool, input)``."""

    def begin(call: Call) -> Running | None:
        name: Any = call.argument(0, "tool")
        tool = current_tool()
        return LookUp(tool) if tool is not None and tool.subject == name else _EarlyLookUp(name)

    return begin

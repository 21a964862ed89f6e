"""Tools, by the events that enclose a call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ExecuteTool
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._descriptions import spelled, tool_of, written_description
from ._executing import outside, piece_came, taken
from ._models import chunk_came, current_answer
from ._requested import key_of
from ._runs import RUN

__all__ = [
    "TOOL",
    "ToolRun",
    "discard_if_found",
    "emitted",
    "enclosed",
    "forbidden",
    "judged",
    "limited",
    "looked_up",
]

_REFUSALS: Final = ("invalid_input", "repeated_call", "unknown_tool", "usage_limit")
"""CrewAI's reasons for which a call that it has announced is not executed."""

_found: ContextVar[Any] = ContextVar("otel_agents-crewai-found", default=None)
"""The name of the tool whose next call was found in the cache before it is announced."""


class ToolRun(ExecuteTool):
    """A tool's call between two events: the first makes it current, the second undoes that."""

    __slots__ = ("outer",)

    def __init__(
        self, telemetry: Telemetry, name: str, arguments: Any, parent: Context | None = None
    ) -> None:
        self.outer: Context = get_current() if parent is None else parent
        super().__init__(telemetry, name, parent=self.outer)
        run, call_id = RUN.get(self.outer), taken(name, arguments)
        if run is not None:
            run.tools.append(self)
            self.when_ended.append(partial(run.tools.remove, self))
            call_id = call_id or _taken(run.calls, name, arguments)
        if call_id is not None:
            self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id
        if telemetry.gate.enabled:
            self.content.tool_arguments = arguments
        self.context = TOOL.set(self, RUN.set(None, outside(self.context)))

    def describe(self, tool: Any) -> None:
        """Keep the description that was written for the tool; None where nobody knows the tool."""
        description = written_description(tool) if self.detailed else None
        if description:
            self.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description

    def respond(self, value: Any) -> None:
        """Keep the result."""
        if self.content.enabled:
            self.content.tool_result = value


TOOL: Final = Slot("crewai-tool", ToolRun)
"""The innermost call of a tool."""


def _taken(calls: list[tuple[str, str]], name: str, arguments: Any) -> str | None:
    """The id of the first call that the model asked for so, and that no tool has answered."""
    key = key_of(name, arguments)
    for position, (asked, call_id) in enumerate(calls):
        if asked == key:
            del calls[position]
            return call_id
    return None


def emitted(telemetry: Telemetry, call: Call) -> None:
    """``CrewAIEventsBus.emit(source, event)``, which runs where the event happens."""
    source, event = call.argument(0, "source"), call.argument(1, "event")
    handle = _HANDLERS.get(getattr(event, "type", None))
    if handle is not None:
        handle(telemetry, source, event)


def _started(telemetry: Telemetry, source: Any, event: Any) -> None:
    run = ToolRun(telemetry, str(event.tool_name), event.tool_args)
    run.describe(tool_of(source, event))
    attach(run.context)
    if _found.get() == run.subject:
        run.discard()
    _found.set(None)


def _ended(event: Any) -> ToolRun | None:
    """The call that the event ends, no more current; None where its beginning was not seen."""
    tool = TOOL.get()
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
        code = str(getattr(reason, "value", reason)) if reason is not None else None
        if code in _REFUSALS:
            tool.discard()
        tool.mark_failed(code)
    tool.returned(event.output)


def _failed(telemetry: Telemetry, source: Any, event: Any) -> None:
    tool = _ended(event)
    if tool is None:
        return
    # A model class that executes tools tells a text, while it handles the error.
    error = event.error if isinstance(event.error, BaseException) else sys.exc_info()[1]
    if error is not None:
        tool.failed(error)
    else:
        tool.mark_failed(None)
        tool.end()


def _answered(telemetry: Telemetry, source: Any, event: Any) -> None:
    asked = current_answer()
    if asked is not None:
        asked.completed(event)


def _chunked(telemetry: Telemetry, source: Any, event: Any) -> None:
    chunk_came(event)
    if event.tool_call is not None:
        piece_came(event.tool_call)


def _refused(telemetry: Telemetry, source: Any, event: Any) -> None:
    asked, error = current_answer(), sys.exc_info()[1]
    if asked is not None and error is not None:
        asked.failing(error)


_HANDLERS: Final[Mapping[Any, Callable[[Telemetry, Any, Any], None]]] = MappingProxyType(
    {
        "llm_call_completed": _answered,
        "llm_call_failed": _refused,
        "llm_stream_chunk": _chunked,
        "tool_usage_error": _failed,
        "tool_usage_finished": _finished,
        "tool_usage_started": _started,
    }
)


def _refuse(name: Any) -> None:
    """The call of the tool ``name`` that is announced here is not executed: it has no span."""
    tool = TOOL.get()
    # One with an agent's run in between is that agent's caller.
    if tool is not None and RUN.get() is None and spelled(tool.subject) == spelled(name):
        tool.discard()


def forbidden(telemetry: Telemetry, call: Call, verdict: Any) -> None:
    """``run_before_tool_call_hooks(context)``: whether a hook has forbidden the call."""
    if verdict is True:
        _refuse(getattr(call.argument(0, "context"), "tool_name", None))


def judged(telemetry: Telemetry, call: Call) -> None:
    """``ToolCallHookContext(tool_name, …, tool_result=…)`` of the hooks that follow a call.

    Versions before `run_before_tool_call_hooks` tell by what the model is told alone that a call was
    forbidden, was one too many, or of a tool that nobody has.
    """
    name, result = call.argument(0, "tool_name"), call.kwargs.get("tool_result")
    if not isinstance(result, str):
        return
    unknown = call.kwargs.get("tool") is None and result == "Tool not found"
    limited = result.startswith(f"Tool '{name}' has reached its usage limit of ")
    if unknown or limited or result == f"Tool execution blocked by hook. Tool: {name}":
        _refuse(name)


def limited(telemetry: Telemetry, call: Call, refusal: Any) -> None:
    """``ToolUsage._check_usage_limit(tool, tool_name)``, which says why a call is one too many."""
    if refusal:
        _refuse(call.argument(1, "tool_name"))


def enclosed(telemetry: Telemetry, call: Call) -> Observation:
    """``ToolUsage._use(…)``: some versions leave it without announcing the end of a call."""
    return Observation()


def discard_if_found(tool: ToolRun, found: Any) -> None:
    """Where something stands for a call that is announced, the call is not executed."""
    if found is not None and found is not False:
        tool.discard()


def looked_up(telemetry: Telemetry, call: Call, found: Any) -> None:
    """``CacheHandler.read(tool, input)``; versions up to 1.14 ask before they announce the call.

    What is found there is announced all the same, and not executed.
    """
    name: Any = call.argument(0, "tool")
    tool = TOOL.get()
    if tool is not None and tool.subject == name:
        discard_if_found(tool, found)
    else:
        _found.set(None if found is None else name)

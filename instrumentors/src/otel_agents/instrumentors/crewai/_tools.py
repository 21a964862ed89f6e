"""Tools, by the events that enclose a call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.scope import name_remote_tool
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ExecuteTool
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._descriptions import find_tool, original_description, sanitized
from ._model_tools import add_streamed, pop_call_id, without_tool_calls
from ._models import current_model_call, on_stream_chunk
from ._runs import RUN
from ._tool_calls import key_of

if TYPE_CHECKING:
    from crewai.events.types.llm_events import (
        LLMCallCompletedEvent,
        LLMCallFailedEvent,
        LLMCallStartedEvent,
        LLMStreamChunkEvent,
    )
    from crewai.events.types.tool_usage_events import (
        ToolUsageErrorEvent,
        ToolUsageEvent,
        ToolUsageFinishedEvent,
        ToolUsageStartedEvent,
    )
    from crewai.tools import BaseTool
    from crewai.tools.structured_tool import CrewStructuredTool

__all__ = [
    "TOOL",
    "ToolRun",
    "discard_if_found",
    "on_after_hooks",
    "on_before_hooks",
    "on_cache_read",
    "on_event",
    "on_usage_limit",
    "remote_tool",
    "tool_use",
]

_REFUSALS: Final = ("invalid_input", "repeated_call", "unknown_tool", "usage_limit")
"""CrewAI's reasons not to execute a call that it has announced."""

_cached_tool: ContextVar[Any] = ContextVar("otel_agents-crewai-cached-tool", default=None)
"""The name of the tool whose next call was found in the cache before it is announced."""


class ToolRun(ExecuteTool):
    """A tool call between two events: the first makes it current, the second restores `outer`."""

    __slots__ = ("outer",)

    def __init__(
        self, telemetry: Telemetry, name: str, arguments: Any, parent: Context | None = None
    ) -> None:
        self.outer: Context = get_current() if parent is None else parent
        super().__init__(telemetry, name, parent=self.outer)
        run, call_id = RUN.get(self.outer), pop_call_id(name, arguments)
        if run is not None:
            run.tools.append(self)
            self.when_ended.append(partial(run.tools.remove, self))
            call_id = call_id or _pop_id(run.calls, name, arguments)
        if call_id is not None:
            self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id
        if telemetry.gate.enabled:
            self.content.tool_arguments = arguments
        self.context = TOOL.set(self, RUN.set(None, without_tool_calls(self.context)))

    def describe(self, tool: BaseTool | CrewStructuredTool | None) -> None:
        """Record the description of ``tool``, if the tool is known."""
        description = original_description(tool) if self.detailed else None
        if description:
            self.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description

    def respond(self, value: Any) -> None:
        """Record the result."""
        if self.content.enabled:
            self.content.tool_result = value


TOOL: Final = Slot("crewai-tool", ToolRun)
"""The innermost call of a tool."""


def _pop_id(calls: list[tuple[str, str]], name: str, arguments: Any) -> str | None:
    """Return the id of the first equal call that the model requested and no tool has executed."""
    key = key_of(name, arguments)
    for index, (requested, call_id) in enumerate(calls):
        if requested == key:
            del calls[index]
            return call_id
    return None


def on_event(telemetry: Telemetry, call: Call) -> None:
    """Handle ``CrewAIEventsBus.emit(source, event)`` inline, in the context of the emitter.

    CrewAI calls registered handlers in threads and in no guaranteed order.
    """
    source, event = call.argument(0, "source"), call.argument(1, "event")
    handle = _HANDLERS.get(getattr(event, "type", None))
    if handle is not None:
        handle(telemetry, source, event)


def _tool_started(telemetry: Telemetry, source: Any, event: ToolUsageStartedEvent) -> None:
    model_call = current_model_call(source)
    if model_call is not None:
        model_call.on_tool_start()
    run = ToolRun(telemetry, str(event.tool_name), event.tool_args)
    run.describe(find_tool(source, event))
    attach(run.context)
    if _cached_tool.get() == run.subject:
        run.discard()
    _cached_tool.set(None)


def _detach(event: ToolUsageEvent) -> ToolRun | None:
    """Restore the context of before the call that ends; None where its start was not seen."""
    tool = TOOL.get()
    if tool is None or tool.subject != str(event.tool_name):
        return None
    attach(tool.outer)
    return tool


def _tool_finished(telemetry: Telemetry, source: Any, event: ToolUsageFinishedEvent) -> None:
    tool = _detach(event)
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
    _model_goes_on(source)


def _tool_failed(telemetry: Telemetry, source: Any, event: ToolUsageErrorEvent) -> None:
    tool = _detach(event)
    if tool is None:
        return
    # A model class that executes tools emits only the text, while it handles the error.
    error = event.error if isinstance(event.error, BaseException) else sys.exc_info()[1]
    if error is not None:
        tool.failed(error)
    else:
        tool.mark_failed(None)
        tool.end()
    _model_goes_on(source, error)


def _model_goes_on(source: Any, error: BaseException | None = None) -> None:
    model_call = current_model_call(source)
    if model_call is not None:
        model_call.on_tool_end(error)


def _model_call_started(telemetry: Telemetry, source: Any, event: LLMCallStartedEvent) -> None:
    model_call = current_model_call(source)
    if model_call is not None:
        model_call.on_start()


def _model_call_completed(telemetry: Telemetry, source: Any, event: LLMCallCompletedEvent) -> None:
    model_call = current_model_call(source)
    if model_call is not None:
        model_call.on_completion(event)


def _stream_chunk(telemetry: Telemetry, source: Any, event: LLMStreamChunkEvent) -> None:
    on_stream_chunk(source, event)
    if event.tool_call is not None:
        add_streamed(event.tool_call)


def _model_call_failed(telemetry: Telemetry, source: Any, event: LLMCallFailedEvent) -> None:
    model_call, error = current_model_call(source), sys.exc_info()[1]
    if model_call is not None and error is not None:
        model_call.on_failure(error)


_HANDLERS: Final[Mapping[Any, Callable[[Telemetry, Any, Any], None]]] = MappingProxyType(
    {
        "llm_call_completed": _model_call_completed,
        "llm_call_failed": _model_call_failed,
        "llm_call_started": _model_call_started,
        "llm_stream_chunk": _stream_chunk,
        "tool_usage_error": _tool_failed,
        "tool_usage_finished": _tool_finished,
        "tool_usage_started": _tool_started,
    }
)


def _discard(name: Any) -> None:
    """Discard the announced call of the tool ``name``: it is not executed, and has no span."""
    tool = TOOL.get()
    # A tool outside of the agent's run is the agent's caller.
    if tool is not None and RUN.get() is None and sanitized(tool.subject) == sanitized(name):
        tool.discard()


def on_before_hooks(telemetry: Telemetry, call: Call, is_blocked: Any) -> None:
    """Discard a call that a hook has blocked: ``run_before_tool_call_hooks(context)``."""
    if is_blocked is True:
        _discard(getattr(call.argument(0, "context"), "tool_name", None))


def on_after_hooks(telemetry: Telemetry, call: Call) -> None:
    """Discard a call by its result: ``ToolCallHookContext(tool_name, …, tool_result=…)``.

    For hooks after a call. In versions before `run_before_tool_call_hooks` only the result that the
    model gets shows that a call was blocked, exceeded the limit, or named an unknown tool.
    """
    name, result = call.argument(0, "tool_name"), call.kwargs.get("tool_result")
    if not isinstance(result, str):
        return
    is_unknown = call.kwargs.get("tool") is None and result == "Tool not found"
    is_limited = result.startswith(f"Tool '{name}' has reached its usage limit of ")
    if is_unknown or is_limited or result == f"Tool execution blocked by hook. Tool: {name}":
        _discard(name)


def on_usage_limit(telemetry: Telemetry, call: Call, refusal: str | None) -> None:
    """Discard a call over the limit: ``ToolUsage._check_usage_limit(tool, tool_name)``."""
    if refusal:
        _discard(call.argument(1, "tool_name"))


def tool_use(telemetry: Telemetry, call: Call) -> Observation:
    """Restore the context after ``ToolUsage._use(…)``."""
    # Some versions leave it without announcing the end of a call.
    return Observation()


def discard_if_found(tool: ToolRun, found: Any) -> None:
    """Discard a call that is not executed, because a result was found for it."""
    if found is not None and found is not False:
        tool.discard()


def on_cache_read(telemetry: Telemetry, call: Call, found: Any) -> None:
    """Discard a call whose result ``CacheHandler.read(tool, input)`` finds: it is not executed."""
    # Up to 1.14 CrewAI reads the cache before it announces the call.
    name: Any = call.argument(0, "tool")
    tool = TOOL.get()
    if tool is not None and tool.subject == name:
        discard_if_found(tool, found)
    else:
        _cached_tool.set(None if found is None else name)


def remote_tool(telemetry: Telemetry, call: Call) -> None:
    """Note the server's name of the tool: ``MCPNativeTool._run(…)``, whose own has a prefix."""
    name_remote_tool(call.instance.original_tool_name)

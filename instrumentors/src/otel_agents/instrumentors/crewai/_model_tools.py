"""Tools that a model class executes itself, from functions that its caller passes."""

from __future__ import annotations

from typing import Any, Final, cast

from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ModelCall, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, text

from ._descriptions import sanitized
from ._tool_calls import ToolCall, key_of, tool_calls_in

__all__ = [
    "add_requested",
    "add_streamed",
    "model_class_call",
    "on_handle_tool_call",
    "pop_call_id",
    "without_tool_calls",
]

_REQUESTED: Final[Slot[list[ToolCall]]] = Slot("crewai-requested", list)
"""The tool calls that the model has requested in this call and that no tool has executed."""


def model_class_call(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Start ``BaseLLM.call(messages, tools, callbacks, available_functions, …)`` or ``acall``.

    The model call ends before a tool is executed. Where no span encloses both, this step does.
    """
    if not call.argument(3, "available_functions"):
        return None
    if get_current_span().get_span_context().is_valid:
        return Observation(_REQUESTED.set([]))
    step = Step(telemetry, "model_call")
    step.context = _REQUESTED.set([], step.context)
    return step


def on_handle_tool_call(telemetry: Telemetry, call: Call) -> None:
    """Note the calls of ``LLM._handle_tool_call(tool_calls, …)``, which go through LiteLLM."""
    requested = _REQUESTED.get()
    if requested is not None:
        requested += tool_calls_in(list(cast("list[Any]", call.argument(0, "tool_calls") or ())))


def add_requested(call: ModelCall) -> None:
    """Add the tool calls in the response that a layer below reports."""
    requested, output = _REQUESTED.get(), call.output
    if requested is None or output is None:
        return
    parts = [part for message in output() for part in message["parts"]]
    requested += [
        ToolCall(part["name"], part.get("arguments"), part.get("id"))
        for part in parts
        if part["type"] == "tool_call"
    ]


def add_streamed(chunk: Any) -> None:
    """Add the tool call of a stream's chunk; the first chunk of each call has its id."""
    requested = _REQUESTED.get()
    name, call_id = text(field(chunk, "function"), "name"), text(chunk, "id")
    if requested is not None and name and call_id and all(one.id != call_id for one in requested):
        requested.append(ToolCall(name, None, call_id))


def without_tool_calls(context: Context) -> Context:
    """Return ``context`` for a tool: other layers request what is executed in it."""
    return _REQUESTED.set(None, context)


def pop_call_id(name: str, arguments: Any) -> str | None:
    """Return the id of the call that is executed now; a streamed call matches any arguments."""
    requested = _REQUESTED.get() or []
    for index, one in enumerate(requested):
        matches = one.arguments is None or key_of(name, arguments) == key_of(name, one.arguments)
        if sanitized(one.name) == sanitized(name) and matches:
            del requested[index]
            return one.id
    return None

"""The SDK's traces and spans, observed where they start and finish.

Not by a trace processor: an application replaces the list of those, and none is called while
OpenAI's tracing is disabled, although the same spans start and finish.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, attach

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import ExecuteTool, InvokeAgent, Operation, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._frames import RUNS, current_frame, current_run, enter, restore
from ._native_tools import within_native_tool
from ._runs import MAX_TURNS_EXCEEDED, is_preparing
from ._tools import (
    handoff,
    handoff_ended,
    may_not_run,
    record_call,
    reported,
    tool,
    tool_ended,
)

if TYPE_CHECKING:
    from agents.tracing import Span
    from agents.tracing.spans import SpanError

__all__ = ["on_error", "on_exit", "on_finish", "on_start"]

_AGENT: Final = "agent"
_FUNCTION: Final = "function"
_GUARDRAIL: Final = "guardrail"
_Begin = Callable[[Telemetry, "Span[Any]", Context], "Operation | None"]


def _guardrail(telemetry: Telemetry, span: Span[Any], parent: Context) -> Step:
    return Step(telemetry, "guardrail", span.span_data.name, parent=parent)


def _guardrail_ended(span: Span[Any], step: Step) -> None:
    """Record the verdict. A guardrail that raised or was cancelled has none."""
    step.set_outcome("failed" if span.span_data.triggered else "passed")
    step.end()


def _custom(telemetry: Telemetry, span: Span[Any], parent: Context) -> Step:
    return Step(telemetry, "custom", span.span_data.name, parent=parent)


def _agent(telemetry: Telemetry, span: Span[Any], parent: Context) -> InvokeAgent:
    """Start the agent of a span that the application itself has made."""
    return InvokeAgent(telemetry, span.span_data.name, parent=parent)


_STARTS: Final[Mapping[str, _Begin]] = MappingProxyType(
    {
        _AGENT: _agent,
        "custom": _custom,
        _FUNCTION: tool,
        _GUARDRAIL: _guardrail,
        "handoff": handoff,
    }
)
"""By type of the span's data. Of the others, models and MCP servers report their own calls."""
_ENDS: Final[Mapping[str, Callable[[Any, Any], None]]] = MappingProxyType(
    {_FUNCTION: tool_ended, _GUARDRAIL: _guardrail_ended, "handoff": handoff_ended}
)
_PROBLEMS: Final = MappingProxyType(
    {
        "Max turns exceeded": MAX_TURNS_EXCEEDED,
        "input_guardrail": "agents.exceptions.InputGuardrailTripwireTriggered",
        "Guardrail tripwire triggered": "agents.exceptions.OutputGuardrailTripwireTriggered",
    }
)
"""Errors that a streamed run only records: its consumer raises them. Those of input guardrails have
a type; without one, the run is not streamed, and raises the error itself.
"""


def on_start(telemetry: Telemetry, call: Call) -> None:
    """Start what ``Span.start(mark_as_current=…)`` stands for."""
    span: Span[Any] = call.instance
    kind = span.span_data.type
    start = _STARTS.get(kind)
    if start is None or RUNS.find(span) is not None:
        return
    if (kind == "custom" and is_preparing()) or (kind == _FUNCTION and within_native_tool()):
        return
    above, run = current_frame(), current_run()
    if kind == _AGENT and above is not None and run is not None and run.is_own(above):
        run.on_agent(span)
        return
    context = enter(span, lambda parent: start(telemetry, span, parent))
    found = RUNS.find(span)
    if found is not None and kind == _FUNCTION:
        found.facts.executed = not may_not_run(above)
    if call.argument(0, "mark_as_current"):
        attach(context)


def on_exit(telemetry: Telemetry, call: Call) -> None:
    """Note what leaves the block of a span: ``Span.__exit__(type, value, traceback)``."""
    error = call.argument(1, "exc_val")
    found = RUNS.find(call.instance)
    if found is not None and error is not None and found.facts.error is None:
        found.facts.error = error


def on_error(telemetry: Telemetry, call: Call) -> None:
    """Note an error that the SDK catches: ``Span.set_error(error)``."""
    span: Span[Any] = call.instance
    error: SpanError = call.argument(0, "error")
    found, run = RUNS.find(span) or RUNS.current(), current_run()
    if span.span_data.type == _FUNCTION and found is not None:
        found.facts.error = sys.exc_info()[1]
        if found.operation is not None:
            found.operation.mark_failed(None)
    elif run is not None:
        kind = (error.get("data") or {}).get("type")
        run.problem = _PROBLEMS.get(str(kind or error.get("message"))) or run.problem


def on_finish(telemetry: Telemetry, call: Call) -> None:
    """End what ``Span.finish(reset_current=…)`` stands for."""
    span: Span[Any] = call.instance
    found = RUNS.find(span)
    restore(span)
    if found is None:
        return
    frame, ended = found.facts, _ENDS.get(span.span_data.type)
    if frame.reports_error:
        reported(span, found.operation)
    if found.operation is not None and not frame.executed:
        operation = found.operation
        RUNS.end(span, lambda _: operation.discard())
    elif frame.error is not None:
        if isinstance(found.operation, ExecuteTool) and span.span_data.type == _FUNCTION:
            record_call(span, found.operation)
        RUNS.fail(span, frame.error)
        if frame.run is not None:
            frame.run.passed(frame.error)
            if span.span_data.type == _GUARDRAIL and isinstance(frame.error, Exception):
                frame.run.guardrail_error = frame.error
    else:
        RUNS.end(span, lambda operation: ended(span, operation) if ended else operation.end())

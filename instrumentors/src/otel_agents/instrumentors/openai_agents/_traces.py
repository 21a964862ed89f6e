"""Traces that the application opens: ``with trace("name"):`` is a workflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.context import Context, attach

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import InvokeWorkflow, Operation
from otel_agents.instrumentors._core.tables import A_DAY, Bounded
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._arguments import DEFAULT_NAME
from ._frames import RUNS, enter, restore
from ._runs import is_preparing, with_conversation

if TYPE_CHECKING:
    from agents.tracing import Trace

__all__ = ["on_trace_created", "on_trace_exit", "on_trace_finish", "on_trace_start"]


class _Created(NamedTuple):
    trace: Trace
    name: object
    group_id: object


_CREATED: Final[Bounded[int, _Created]] = Bounded(4096, seconds=A_DAY)
"""What traces were made with, by identity: a trace without tracing forgets it."""


def on_trace_created(telemetry: Telemetry, call: Call, trace: Trace) -> None:
    """Note ``TraceProvider.create_trace(name, trace_id, group_id, …)``."""
    made = _Created(trace, call.argument(0, "name"), call.argument(2, "group_id"))
    _CREATED.put(id(trace), made)


def on_trace_start(telemetry: Telemetry, call: Call) -> None:
    """Start a workflow at ``Trace.start(mark_as_current)``, unless the trace is a run's own."""
    trace: Trace = call.instance
    made = _CREATED.pop(id(trace))
    is_current = call.argument(0, "mark_as_current")
    if not is_current or is_preparing() or RUNS.find(trace) is not None:
        return
    name, group_id = made[1:] if made is not None else (trace.name, None)

    def begin(parent: Context) -> Operation:
        given = name if isinstance(name, str) and name and name != DEFAULT_NAME else None
        return InvokeWorkflow(telemetry, given, parent=with_conversation(group_id, parent))

    attach(enter(trace, begin))


def on_trace_exit(telemetry: Telemetry, call: Call) -> None:
    """Fail with what leaves the block of a trace: ``Trace.__exit__(type, value, traceback)``."""
    found, error = RUNS.find(call.instance), call.argument(1, "exc_val")
    if found is not None and error is not None:
        found.facts.error = error


def on_trace_finish(telemetry: Telemetry, call: Call) -> None:
    """End the workflow at ``Trace.finish(reset_current)``."""
    trace: Any = call.instance
    found = RUNS.find(trace)
    restore(trace)
    if found is None:
        return
    error = found.facts.error
    if error is None:
        RUNS.end(trace)
    else:
        RUNS.fail(trace, error)

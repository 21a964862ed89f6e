"""The tasks of a crew, those among them that others stand for."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.carrying import Handover
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._guardrails import GUARDED, Guarded

__all__ = ["asynchronous", "skipped", "stored", "task"]

_threaded: Final = Handover()
"""The contexts in which tasks were handed to a thread, by the task."""


def asynchronous(telemetry: Telemetry, call: Call) -> None:
    """``Task.execute_async(…)``: the task runs in a thread, which some versions start empty."""
    _threaded.give(call.instance)


def task(telemetry: Telemetry, call: Call) -> Step:
    """``Task._execute_core(agent, context, tools)`` and its asynchronous form.

    Early versions call themselves once more after a guardrail: that is the same task.
    """
    run = _task(telemetry, call.instance, _threaded.take(call.instance))
    run.context = GUARDED.set(Guarded(call.instance), run.context)
    return run


def _task(telemetry: Telemetry, task: Any, parent: Context | None = None) -> Step:
    return Step(telemetry, "task", getattr(task, "name", None), parent=parent)


def skipped(telemetry: Telemetry, call: Call) -> None:
    """``ConditionalTask.get_skipped_task_output()``: stands for a task whose condition does not hold."""
    _without_running(telemetry, call.instance, "skipped")


def stored(telemetry: Telemetry, call: Call) -> None:
    """``Crew._execute_tasks(tasks, start_index, was_replayed)``, of a replay.

    The output of an earlier run stands for each task before the first one.
    """
    if call.argument(2, "was_replayed"):
        for one in call.argument(0, "tasks")[: call.argument(1, "start_index")]:
            _without_running(telemetry, one, "stored")


def _without_running(telemetry: Telemetry, task: Any, outcome: str) -> None:
    step = _task(telemetry, task)
    step.set_outcome(outcome)
    step.end()

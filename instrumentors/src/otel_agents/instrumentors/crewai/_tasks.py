"""The tasks of a crew, among them those that are skipped or replaced by a stored output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.carrying import Handover
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._guardrails import GUARDRAIL_ATTEMPTS, GuardrailAttempts

if TYPE_CHECKING:
    from crewai.task import Task

__all__ = ["on_async_execution", "on_replay", "on_skipped", "task"]

_contexts: Final = Handover()
"""The contexts in which tasks were handed to a thread, by the task."""


def on_async_execution(telemetry: Telemetry, call: Call) -> None:
    """Hand the context to the thread of ``Task.execute_async(…)``."""
    # Some versions start the thread with an empty context.
    _contexts.give(call.instance)


def task(telemetry: Telemetry, call: Call) -> Step:
    """Start ``Task._execute_core(agent, context, tools)`` or its async form.

    Early versions call themselves again after a guardrail: that is the same task.
    """
    run = _task(telemetry, call.instance, _contexts.take(call.instance))
    run.context = GUARDRAIL_ATTEMPTS.set(GuardrailAttempts(call.instance), run.context)
    return run


def _task(telemetry: Telemetry, task: Task, parent: Context | None = None) -> Step:
    return Step(telemetry, "task", getattr(task, "name", None), parent=parent)


def on_skipped(telemetry: Telemetry, call: Call) -> None:
    """Record the skipped task of ``ConditionalTask.get_skipped_task_output()``."""
    _record_without_run(telemetry, call.instance, "skipped")


def on_replay(telemetry: Telemetry, call: Call) -> None:
    """Record the tasks before the first one of a replay, whose output comes from an earlier run.

    ``Crew._execute_tasks(tasks, start_index, was_replayed)``.
    """
    if call.argument(2, "was_replayed"):
        for task in call.argument(0, "tasks")[: call.argument(1, "start_index")]:
            _record_without_run(telemetry, task, "stored")


def _record_without_run(telemetry: Telemetry, task: Task, outcome: str) -> None:
    step = _task(telemetry, task)
    step.set_outcome(outcome)
    step.end()

"""Magentic-One: the steps of its orchestrator, each around the model calls that it needs.

One method obtains facts and plan, another obtains the ledger and acts on it. Therefore a step
starts where its prompt is built, and ends when the next step starts or a decision is made.
"""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation, attaching
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._runs import TeamRun, team_run

__all__ = ["PATCHES"]

_NEXT: Final = "Next Speaker: "
"""The orchestrator's log message starts with this before the name of the next speaker."""


def _set_stage(run: TeamRun, step: Step) -> Context:
    run.stage = step
    return step.context


def _stage_start(type: str) -> Any:
    """Start the step ``type`` for the rest of the method that has built its prompt."""

    def start(telemetry: Telemetry, call: Call) -> Context | None:
        run = team_run()
        if run is None:
            return None
        run.end_stage()
        return _set_stage(run, Step(telemetry, type, parent=run.context))

    return attaching(start)


def _stage_call(type: str, outcome: str) -> Any:
    """Record the whole call as the step ``type``, and ``outcome`` on the ledger that led to it."""

    def start(telemetry: Telemetry, call: Call) -> Step | None:
        run = team_run()
        if run is None:
            return None
        run.end_stage(outcome)
        return Step(telemetry, type, parent=run.context)

    return start


def _on_log_message(telemetry: Telemetry, call: Call) -> Context | None:
    run, message = team_run(), call.argument(0, "log_message")
    if run is None or not isinstance(message, str) or not message.startswith(_NEXT):
        return None
    run.end_stage(message.removeprefix(_NEXT))
    return run.context


def _team_context(telemetry: Telemetry, call: Call) -> Observation | None:
    """Send messages to agents in the team's context; an error belongs to the open step."""
    run = team_run()
    if run is None:
        return None
    run.end_stage()
    return Observation(run.context, failed=run.fail_stage)


_ORCHESTRATOR: Final = (
    "autogen_agentchat.teams._group_chat._magentic_one._magentic_one_orchestrator"
    ":MagenticOneOrchestrator"
)

PATCHES: Final = (
    Patch(f"{_ORCHESTRATOR}._get_task_ledger_facts_prompt", _stage_start("facts")),
    Patch(f"{_ORCHESTRATOR}._get_task_ledger_plan_prompt", _stage_start("plan")),
    Patch(f"{_ORCHESTRATOR}._reenter_outer_loop", _team_context),
    Patch(f"{_ORCHESTRATOR}._orchestrate_step", _team_context),
    Patch(f"{_ORCHESTRATOR}._get_progress_ledger_prompt", _stage_start("ledger")),
    Patch(f"{_ORCHESTRATOR}._log_message", attaching(_on_log_message)),
    Patch(f"{_ORCHESTRATOR}._update_task_ledger", _stage_call("replan", "stalled")),
    Patch(f"{_ORCHESTRATOR}._prepare_final_answer", _stage_call("final_answer", "satisfied")),
)

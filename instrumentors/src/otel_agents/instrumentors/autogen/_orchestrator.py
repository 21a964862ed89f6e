"""Magentic-One: the steps of its orchestrator, each around what it asks its model for.

Facts and plan are asked for in one method, and so are the ledger and what comes of it: a step begins
where its prompt is made, and ends with the next one, or where something has been decided.
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
"""What the orchestrator's log says before the name of who goes on."""


def _begun(run: TeamRun, step: Step) -> Context:
    run.stage = step
    return step.context


def _stage(type: str) -> Any:
    """The step ``type`` begins, in the rest of the method that has made its prompt."""

    def begin(telemetry: Telemetry, call: Call) -> Context | None:
        run = team_run()
        if run is None:
            return None
        run.end_stage()
        return _begun(run, Step(telemetry, type, parent=run.context))

    return attaching(begin)


def _work(type: str, outcome: str) -> Any:
    """The whole call is the step ``type``; the ledger before it, if there is one, has decided on it."""

    def start(telemetry: Telemetry, call: Call) -> Step | None:
        run = team_run()
        if run is None:
            return None
        run.end_stage(outcome)
        return Step(telemetry, type, parent=run.context)

    return start


def _logged(telemetry: Telemetry, call: Call) -> Context | None:
    run, told = team_run(), call.argument(0, "log_message")
    if run is None or not isinstance(told, str) or not told.startswith(_NEXT):
        return None
    run.end_stage(told.removeprefix(_NEXT))
    return run.context


def _outside(telemetry: Telemetry, call: Call) -> Observation | None:
    """What is sent to the agents is the team's; and what fails there, or in it, is the ledger's."""
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
    Patch(f"{_ORCHESTRATOR}._get_task_ledger_facts_prompt", _stage("facts")),
    Patch(f"{_ORCHESTRATOR}._get_task_ledger_plan_prompt", _stage("plan")),
    Patch(f"{_ORCHESTRATOR}._reenter_outer_loop", _outside),
    Patch(f"{_ORCHESTRATOR}._orchestrate_step", _outside),
    Patch(f"{_ORCHESTRATOR}._get_progress_ledger_prompt", _stage("ledger")),
    Patch(f"{_ORCHESTRATOR}._log_message", attaching(_logged)),
    Patch(f"{_ORCHESTRATOR}._update_task_ledger", _work("replan", "stalled")),
    Patch(f"{_ORCHESTRATOR}._prepare_final_answer", _work("final_answer", "satisfied")),
)

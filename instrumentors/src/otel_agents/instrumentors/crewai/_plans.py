"""Plans: how they are made, carried out step by step, and what is made of each step."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import Plan, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._runs import RUN, Caller, role_of

__all__ = ["observation", "plan", "plan_step"]


def plan(telemetry: Telemetry, call: Call) -> Plan:
    """``CrewPlanner._handle_crew_planning()``; ``AgentReasoning.handle_agent_reasoning()``.

    An agent plans how to go about its task; the plan of a crew is nobody's.
    """
    return Plan(telemetry, role_of(getattr(call.instance, "agent", None)))


class _PlanStep(Step, Caller):
    __slots__ = ("calls", "tools")

    def __init__(self, telemetry: Telemetry, number: int | None) -> None:
        super().__init__(telemetry, "plan_step", number=number)
        self.calls = []
        self.tools = []
        self.context = RUN.set(self, self.context)

    def conclude(self) -> None:
        """Nothing that it called goes on."""
        self.end_tools(self.error)

    def respond(self, value: Any) -> None:
        """Keep whether it was done; of what was raised in it CrewAI keeps no more than the text."""
        self.set_outcome("completed" if value.success else "failed")
        if not value.success:
            self.mark_failed(None)


class _Observation(Step):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Keep what follows from it."""
        self.set_outcome(_verdict(value))


def plan_step(telemetry: Telemetry, call: Call) -> Step:
    """``StepExecutor.execute(todo, context, …)``; some run side by side."""
    return _PlanStep(telemetry, _number(call.argument(0, "todo")))


def observation(telemetry: Telemetry, call: Call) -> Step:
    """``PlannerObserver.observe(completed_step, result, …)``: a model looks at what a step has brought."""
    return _Observation(
        telemetry, "observation", number=_number(call.argument(0, "completed_step"))
    )


def _number(todo: Any) -> int | None:
    """A step is known by its number; its description is a model's."""
    number = getattr(todo, "step_number", None)
    return number if isinstance(number, int) else None


def _verdict(observed: Any) -> str:
    """In the order in which CrewAI asks."""
    if observed.goal_already_achieved:
        return "goal_achieved"
    if observed.needs_full_replan:
        return "replan"
    if not observed.step_completed_successfully:
        return "failed"
    return "refine" if observed.suggested_refinements else "continue"

"""Plans: how they are made, their steps, and what the planner observes after each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import Plan, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._runs import RUN, ToolCaller, role_of

if TYPE_CHECKING:
    from crewai.utilities.planning_types import StepObservation, TodoItem
    from crewai.utilities.step_execution_context import StepResult

__all__ = ["observation", "plan", "plan_step"]


def plan(telemetry: Telemetry, call: Call) -> Plan:
    """Start ``CrewPlanner._handle_crew_planning()`` or ``AgentReasoning.handle_agent_reasoning()``.

    Only the second has an agent, which plans its task.
    """
    return Plan(telemetry, role_of(getattr(call.instance, "agent", None)))


class _PlanStep(Step, ToolCaller):
    __slots__ = ("calls", "tools")

    def __init__(self, telemetry: Telemetry, number: int | None) -> None:
        super().__init__(telemetry, "plan_step", number=number)
        self.calls = []
        self.tools = []
        self.context = RUN.set(self, self.context)

    def conclude(self) -> None:
        """End the tools whose end was not announced."""
        self.end_tools(self.error)

    def respond(self, value: StepResult) -> None:
        """Record whether the step succeeded."""
        # Of an exception in the step CrewAI keeps only the text.
        self.set_outcome("completed" if value.success else "failed")
        if not value.success:
            self.mark_failed(None)


class _PlannerObservation(Step):
    __slots__ = ()

    def respond(self, value: StepObservation) -> None:
        """Record what the planner decided."""
        self.set_outcome(_decision(value))


def plan_step(telemetry: Telemetry, call: Call) -> Step:
    """Start ``StepExecutor.execute(todo, context, …)``; steps may run in parallel."""
    return _PlanStep(telemetry, _number(call.argument(0, "todo")))


def observation(telemetry: Telemetry, call: Call) -> Step:
    """Start ``PlannerObserver.observe(completed_step, result, …)``: a model checks a result."""
    return _PlannerObservation(
        telemetry, "observation", number=_number(call.argument(0, "completed_step"))
    )


def _number(todo: TodoItem) -> int | None:
    """Return a step's number; its description is a model's output, and content."""
    number = getattr(todo, "step_number", None)
    return number if isinstance(number, int) else None


def _decision(observation: StepObservation) -> str:
    """Return the first condition that holds, in the order in which CrewAI checks them."""
    if observation.goal_already_achieved:
        return "goal_achieved"
    if observation.needs_full_replan:
        return "replan"
    if not observation.step_completed_successfully:
        return "failed"
    return "refine" if observation.suggested_refinements else "continue"

"""What runs in a crew: the crew, its tasks, its agents, and what they do besides."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.carrying import Handover
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow, Plan, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._messages import answer, request

__all__ = [
    "RUN",
    "AgentRun",
    "acting",
    "agent",
    "asynchronous_task",
    "crew",
    "plan",
    "replay",
    "restores",
    "task",
    "workflow",
]

_DEFAULT_NAME: Final = "crew"
_threaded: Final = Handover()
"""The contexts in which tasks were handed to a thread, by the task."""


class AgentRun(InvokeAgent):
    """The work of an agent on a task, or alone."""

    __slots__ = ("agent", "calls", "tools")

    def __init__(self, telemetry: Telemetry, agent: Any, work: Any) -> None:
        super().__init__(telemetry, role_of(agent), input=request(work), output=answer)
        self.agent = agent
        self.calls: list[tuple[str, str]] = []
        self.tools: list[Any] = []
        self.context = RUN.set(self, self.context)

    def conclude(self) -> None:
        """End the tools whose end was not announced."""
        for tool in list(self.tools):
            if self.error is not None:
                tool.failed(self.error)
            else:
                tool.end()


RUN: Final = Slot("crewai-agent-run", AgentRun)
"""The agent's run; none within a tool: what the same agent does inside of it is a run of its own."""


def role_of(agent: Any) -> str | None:
    """The role as it was written: one into which inputs were put would tell them, and differ."""
    role = getattr(agent, "_original_role", None) or getattr(agent, "role", None)
    return role.strip() if isinstance(role, str) else None


def restores(call: Call) -> bool:
    """Whether somebody else runs instead: what is made of a checkpoint, by the same method."""
    given = (*call.args, *call.kwargs.values())
    return any(getattr(value, "restore_from", None) is not None for value in given)


def workflow(
    telemetry: Telemetry, name: str | None, inputs: Any, parent: Context | None = None
) -> InvokeWorkflow:
    """The run of a crew or a flow, begun by ``kickoff(inputs)`` or a form of it."""
    messages = request(inputs) if inputs else None
    return InvokeWorkflow(telemetry, name, input=messages, output=answer, parent=parent)


def crew(telemetry: Telemetry, call: Call) -> InvokeWorkflow | None:
    """``Crew.kickoff(inputs)`` and ``akickoff``."""
    if getattr(call.instance, "stream", False) or restores(call):
        return None  # the run begins when its chunks are wanted, by another call of this
    return workflow(telemetry, _name(call.instance), call.argument(0, "inputs"))


def replay(telemetry: Telemetry, call: Call) -> InvokeWorkflow:
    """``Crew.replay(task_id, inputs)``: a run that begins with a later task."""
    return workflow(telemetry, _name(call.instance), call.argument(1, "inputs"))


def _name(crew: Any) -> str | None:
    name = getattr(crew, "name", None)
    return None if name == _DEFAULT_NAME else name


def asynchronous_task(telemetry: Telemetry, call: Call) -> None:
    """``Task.execute_async(…)``: the task runs in a thread, which some versions start empty."""
    _threaded.give(call.instance)


def task(telemetry: Telemetry, call: Call) -> Step:
    """``Task._execute_core(agent, context, tools)`` and its asynchronous form.

    Early versions call themselves once more after a guardrail: that is the same task.
    """
    name = getattr(call.instance, "name", None)
    return Step(telemetry, "task", name, parent=_threaded.take(call.instance))


def agent(telemetry: Telemetry, call: Call) -> AgentRun | None:
    """``BaseAgent.execute_task(task, …)``, and ``Agent.kickoff(messages)`` of a lone agent.

    Their forms call each other, and after an error themselves: that is the same run.
    """
    if restores(call):
        return None
    work = call.args[0] if call.args else call.kwargs.get("task", call.kwargs.get("messages"))
    return AgentRun(telemetry, acting(call), getattr(work, "description", work))


def acting(call: Call) -> Any:
    """The agent; early versions have a ``LiteAgent`` do its work, which may run without one too."""
    return getattr(call.instance, "original_agent", None) or call.instance


def plan(telemetry: Telemetry, call: Call) -> Plan:
    """``CrewPlanner._handle_crew_planning()``; ``AgentReasoning.handle_agent_reasoning()``.

    An agent plans how to go about its task; the plan of a crew is nobody's.
    """
    return Plan(telemetry, role_of(getattr(call.instance, "agent", None)))

"""What runs: crews and flows, and agents, on a task or alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._guardrails import GUARDED, Guarded
from ._messages import answer, request
from ._numbers import SIBLINGS, Place, turn_of

__all__ = [
    "RUN",
    "AgentRun",
    "Caller",
    "WorkflowRun",
    "acting",
    "agent",
    "crew",
    "replay",
    "restores",
    "role_of",
]

_DEFAULT_NAME: Final = "crew"
_ONLY: Final[Mapping[str, Any]] = MappingProxyType({})


class WorkflowRun(InvokeWorkflow):
    """The run of a crew or a flow.

    Args:
        telemetry: What to emit with.
        name: That of the crew or the flow, if it was given one.
        inputs: What it is to work on.
        turn: Which run of how many it is, where that is known before, as attributes.
        parent: The context to work in; default is the current one.
    """

    __slots__ = ("_rank",)

    def __init__(
        self,
        telemetry: Telemetry,
        name: str | None,
        inputs: Any,
        turn: Mapping[str, Any] = _ONLY,
        parent: Context | None = None,
    ) -> None:
        super().__init__(
            telemetry,
            name,
            input=request(inputs) if inputs else None,
            output=answer,
            start_attributes=turn,
            parent=parent,
        )
        self._rank = None if turn else _enter(self, parent)

    def conclude(self) -> None:
        """Say which one it was, if there was another beside it."""
        _leave(self, self._rank)


class Caller:
    """Work within which a model asks for tools: that of an agent, and of each step of its plan.

    Attributes:
        calls: Those that were asked for, and that no tool has answered.
        tools: Those that are being answered.
    """

    __slots__ = ()
    calls: list[tuple[str, str]]
    tools: list[Any]

    def end_tools(self, error: BaseException | None) -> None:
        """End the tools whose end was not announced."""
        for tool in list(self.tools):
            if error is not None:
                tool.failed(error)
            else:
                tool.end()


class AgentRun(InvokeAgent, Caller):
    """The work of an agent on a task, or alone."""

    __slots__ = ("_rank", "agent", "calls", "tools")

    def __init__(self, telemetry: Telemetry, agent: Any, work: Any) -> None:
        super().__init__(telemetry, role_of(agent), input=request(work), output=answer)
        self.agent = agent
        self.calls = []
        self.tools = []
        self._rank = _enter(self)
        self.context = GUARDED.set(Guarded(agent), RUN.set(self, self.context))

    def conclude(self) -> None:
        """Nothing that it called goes on."""
        _leave(self, self._rank)
        self.end_tools(self.error)


RUN: Final = Slot("crewai-agent-run", Caller)
"""The agent's run; none within a tool: what the same agent does inside of it is a run of its own."""


def _enter(run: InvokeAgent | InvokeWorkflow, parent: Context | None = None) -> Place | None:
    """Take the run's place among those that the same method has begun."""
    siblings = SIBLINGS.get(get_current() if parent is None else parent)
    if siblings is None:
        return None
    run.context = SIBLINGS.set(None, run.context)
    return siblings.enter((run.operation, run.subject))


def _leave(run: InvokeAgent | InvokeWorkflow, place: Place | None) -> None:
    if place is not None:
        place.leave()
        if place.beside:
            run.attributes[attr.OTEL_AGENTS_STEP_NUMBER] = place.number


def role_of(agent: Any) -> str | None:
    """The role as it was written: one into which inputs were put would tell them, and differ."""
    role = getattr(agent, "_original_role", None) or getattr(agent, "role", None)
    return role.strip() if isinstance(role, str) else None


def restores(call: Call) -> bool:
    """Whether somebody else runs instead: what is made of a checkpoint, by the same method."""
    given = (*call.args, *call.kwargs.values())
    return any(getattr(value, "restore_from", None) is not None for value in given)


def crew(telemetry: Telemetry, call: Call) -> WorkflowRun | None:
    """``Crew.kickoff(inputs)`` and ``akickoff``."""
    if getattr(call.instance, "stream", False) or restores(call):
        return None  # the run begins when its chunks are wanted, by another call of this
    turn = turn_of(call.instance)
    return WorkflowRun(telemetry, _name(call.instance), call.argument(0, "inputs"), turn)


def replay(telemetry: Telemetry, call: Call) -> WorkflowRun:
    """``Crew.replay(task_id, inputs)``: a run that begins with a later task."""
    return WorkflowRun(telemetry, _name(call.instance), call.argument(1, "inputs"))


def _name(crew: Any) -> str | None:
    name = getattr(crew, "name", None)
    return None if name == _DEFAULT_NAME else name


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

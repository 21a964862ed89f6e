"""Runs of crews and flows, and of agents, on a task or alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._guardrails import GUARDRAIL_ATTEMPTS, GuardrailAttempts
from ._messages import input_messages, output_messages
from ._numbers import RUN_NUMBERS, NumberedRun, number_of

if TYPE_CHECKING:
    from crewai.agents.agent_builder.base_agent import BaseAgent
    from crewai.crew import Crew

    from ._tools import ToolRun

__all__ = [
    "RUN",
    "AgentRun",
    "ToolCaller",
    "WorkflowRun",
    "acting_agent",
    "agent",
    "crew",
    "replay",
    "restores_checkpoint",
    "role_of",
]

_DEFAULT_NAME: Final = "crew"
_NO_NUMBER: Final[Mapping[str, Any]] = MappingProxyType({})


class WorkflowRun(InvokeWorkflow):
    """The run of a crew or a flow.

    Args:
        telemetry: What to emit with.
        name: The name of the crew or the flow, if it has one.
        inputs: Its inputs.
        number: Its number and the count of runs, as attributes, where they are known at its start.
        parent: The context to work in; default is the current one.
    """

    __slots__ = ("_numbered",)

    def __init__(
        self,
        telemetry: Telemetry,
        name: str | None,
        inputs: Any,
        number: Mapping[str, Any] = _NO_NUMBER,
        parent: Context | None = None,
    ) -> None:
        super().__init__(
            telemetry,
            name,
            input=input_messages(inputs) if inputs else None,
            output=output_messages,
            start_attributes=number,
            parent=parent,
        )
        self._numbered = None if number else _start_numbered(self, parent)

    def conclude(self) -> None:
        """Record the number, if another run was concurrent."""
        _end_numbered(self, self._numbered)


class ToolCaller:
    """Work within which a model requests tools: an agent's run, or a step of its plan.

    Attributes:
        calls: Key and id of the calls that were requested and that no tool has executed.
        tools: The calls in progress.
    """

    __slots__ = ()
    calls: list[tuple[str, str]]
    tools: list[ToolRun]

    def end_tools(self, error: BaseException | None) -> None:
        """End the tools whose end was not announced."""
        for tool in list(self.tools):
            if error is not None:
                tool.failed(error)
            else:
                tool.end()


class AgentRun(InvokeAgent, ToolCaller):
    """The run of an agent, on a task or alone."""

    __slots__ = ("_numbered", "agent", "calls", "tools")

    def __init__(self, telemetry: Telemetry, agent: BaseAgent, work: Any) -> None:
        super().__init__(
            telemetry, role_of(agent), input=input_messages(work), output=output_messages
        )
        self.agent = agent
        self.calls = []
        self.tools = []
        self._numbered = _start_numbered(self)
        self.context = GUARDRAIL_ATTEMPTS.set(GuardrailAttempts(agent), RUN.set(self, self.context))

    def conclude(self) -> None:
        """Record the number, and end the tools whose end was not announced."""
        _end_numbered(self, self._numbered)
        self.end_tools(self.error)


RUN: Final = Slot("crewai-agent-run", ToolCaller)
"""The innermost run of an agent; None within a tool, where the same agent starts a new run."""


def _start_numbered(
    run: InvokeAgent | InvokeWorkflow, parent: Context | None = None
) -> NumberedRun | None:
    """Number the run among those that the same method has started."""
    numbers = RUN_NUMBERS.get(get_current() if parent is None else parent)
    if numbers is None:
        return None
    run.context = RUN_NUMBERS.set(None, run.context)
    return numbers.start((run.operation, run.subject))


def _end_numbered(run: InvokeAgent | InvokeWorkflow, numbered: NumberedRun | None) -> None:
    if numbered is not None:
        numbered.end()
        if numbered.concurrent:
            run.attributes[attr.OTEL_AGENTS_STEP_NUMBER] = numbered.number


def role_of(agent: BaseAgent | None) -> str | None:
    """Return the role as it was written: with inputs filled in it would vary, and hold content."""
    role = getattr(agent, "_original_role", None) or getattr(agent, "role", None)
    return role.strip() if isinstance(role, str) else None


def restores_checkpoint(call: Call) -> bool:
    """Return whether the call restores another object, which then runs by the same method."""
    arguments = (*call.args, *call.kwargs.values())
    return any(getattr(value, "restore_from", None) is not None for value in arguments)


def crew(telemetry: Telemetry, call: Call) -> WorkflowRun | None:
    """Start ``Crew.kickoff(inputs)`` or ``akickoff``."""
    if getattr(call.instance, "stream", False) or restores_checkpoint(call):
        return None  # reading a streaming crew's chunks calls this again, which starts the run
    number = number_of(call.instance)
    return WorkflowRun(telemetry, _name(call.instance), call.argument(0, "inputs"), number)


def replay(telemetry: Telemetry, call: Call) -> WorkflowRun:
    """Start ``Crew.replay(task_id, inputs)``, which runs a crew from a later task on."""
    return WorkflowRun(telemetry, _name(call.instance), call.argument(1, "inputs"))


def _name(crew: Crew) -> str | None:
    name = getattr(crew, "name", None)
    return None if name == _DEFAULT_NAME else name


def agent(telemetry: Telemetry, call: Call) -> AgentRun | None:
    """Start ``BaseAgent.execute_task(task, …)``, or ``Agent.kickoff(messages)`` without a task.

    Their forms call each other, and themselves after an error: that is the same run.
    """
    if restores_checkpoint(call):
        return None
    work = call.args[0] if call.args else call.kwargs.get("task", call.kwargs.get("messages"))
    return AgentRun(telemetry, acting_agent(call), getattr(work, "description", work))


def acting_agent(call: Call) -> BaseAgent:
    """Return the agent that runs."""
    # In early versions a `LiteAgent` runs for it. One may also run without an agent.
    return getattr(call.instance, "original_agent", None) or call.instance

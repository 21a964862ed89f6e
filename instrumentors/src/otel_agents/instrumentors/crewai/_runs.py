"""What runs in a crew: the crew, its tasks, its agents, and what they do besides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import Context, create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow, Plan, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._messages import answer, request

__all__ = [
    "AgentRun",
    "agent",
    "agent_run",
    "asynchronous_task",
    "crew",
    "guardrail",
    "human_input",
    "lone_agent",
    "planning",
    "reasoning",
    "replay",
    "restores",
    "runs",
    "task",
    "without_agent_run",
]

_RUN: Final = create_key("otel_agents-crewai-agent-run")
_TASK: Final = create_key("otel_agents-crewai-task")
_DEFAULT_NAME: Final = "crew"
_carried: dict[int, Context] = {}
"""The contexts in which tasks were handed to a thread, by the id of the task."""


class Workflow(InvokeWorkflow):
    """The run of a crew or a flow, begun by ``kickoff(inputs)`` or a form of it."""

    __slots__ = ()

    def __init__(
        self, telemetry: Telemetry, name: str | None, inputs: Any, parent: Context | None = None
    ) -> None:
        super().__init__(telemetry, name, parent=parent)
        if telemetry.gate.wanted and inputs:
            self.content.input_messages = request(inputs)

    def respond(self, value: Any) -> None:
        """Keep the answer."""
        if self._gate.wanted:
            self.content.output_messages = answer(value)


class AgentRun(InvokeAgent):
    """The work of an agent on a task, or alone."""

    __slots__ = ("agent", "calls", "tools")

    def __init__(self, telemetry: Telemetry, agent: Any) -> None:
        super().__init__(telemetry, role_of(agent))
        self.agent = agent
        self.calls: list[tuple[str, str]] = []
        self.tools: list[Any] = []
        self.context = set_value(_RUN, self, self.context)

    def respond(self, value: Any) -> None:
        """Keep the answer."""
        if self._gate.wanted:
            self.content.output_messages = answer(value)

    def end(self) -> None:
        """End, and with it the tools whose end nobody told."""
        for tool in list(self.tools):
            if self.error is not None:
                tool.failed(self.error)
            else:
                tool.end()
        super().end()


def role_of(agent: Any) -> str | None:
    """The role as it was written: one into which inputs were put would tell them, and differ."""
    role = getattr(agent, "_original_role", None) or getattr(agent, "role", None)
    return role.strip() if isinstance(role, str) else None


def agent_run(context: Context | None = None) -> AgentRun | None:
    """The agent's run that ``context`` is in."""
    found = get_value(_RUN, context)
    return found if isinstance(found, AgentRun) else None


def without_agent_run(context: Context) -> Context:
    """``context`` for a tool: what the same agent does inside of it is a run of its own."""
    return set_value(_RUN, None, context)


def restores(call: Call) -> bool:
    """Whether somebody else runs instead: what is made of a checkpoint, by the same method."""
    given = (*call.args, *call.kwargs.values())
    return any(getattr(value, "restore_from", None) is not None for value in given)


def crew(telemetry: Telemetry) -> Begin:
    """``Crew.kickoff(inputs)`` and ``akickoff``."""

    def begin(call: Call) -> Running | None:
        if getattr(call.instance, "stream", False) or restores(call):
            return None  # the run begins when its chunks are wanted, by another call of this
        return _workflow(telemetry, call.instance, call.argument(0, "inputs"))

    return begin


def replay(telemetry: Telemetry) -> Begin:
    """``Crew.replay(task_id, inputs)``: a run that begins with a later task."""
    return lambda call: _workflow(telemetry, call.instance, call.argument(1, "inputs"))


def _workflow(telemetry: Telemetry, crew: Any, inputs: Any) -> Workflow:
    name = getattr(crew, "name", None)
    return Workflow(telemetry, None if name == _DEFAULT_NAME else name, inputs)


def runs(name: str) -> Callable[[Telemetry], Begin]:
    """What runs a crew again and again: for each input, to train it, to test it."""

    def making(telemetry: Telemetry) -> Begin:
        return lambda call: Step(telemetry, name, {})

    return making


def asynchronous_task(telemetry: Telemetry) -> Begin:
    """``Task.execute_async(…)``: the task runs in a thread, which some versions start empty."""

    def begin(call: Call) -> Running | None:
        _carried[id(call.instance)] = get_current()
        return None

    return begin


def task(telemetry: Telemetry) -> Begin:
    """``Task._execute_core(agent, context, tools)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        parent = _carried.pop(id(call.instance), None)
        if get_value(_TASK, parent) is call.instance:
            return None  # once more, after a guardrail: early versions call themselves
        name = getattr(call.instance, "name", None)
        step = Step(telemetry, f"task {name}" if name else "task", {}, parent=parent)
        step.context = set_value(_TASK, call.instance, step.context)
        return step

    return begin


def agent(telemetry: Telemetry) -> Begin:
    """``BaseAgent.execute_task(task, context, tools)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        if _runs_already(call.instance):
            return None
        run = AgentRun(telemetry, call.instance)
        work = call.argument(0, "task")
        if telemetry.gate.wanted:
            run.content.input_messages = request(getattr(work, "description", None))
        return run

    return begin


def lone_agent(telemetry: Telemetry) -> Begin:
    """``Agent.kickoff(messages)`` and its asynchronous forms, which call each other.

    Early versions have it done by a ``LiteAgent``, which may run without an agent too.
    """

    def begin(call: Call) -> Running | None:
        agent = getattr(call.instance, "original_agent", None) or call.instance
        if _runs_already(agent) or restores(call):
            return None
        run = AgentRun(telemetry, agent)
        if telemetry.gate.wanted:
            asked = call.argument(0, "messages")
            run.content.input_messages = request(asked)
        return run

    return begin


def _runs_already(instance: Any) -> bool:
    """Whether this is the same run: tried again after an error, or handed on to another form."""
    current = agent_run()
    return current is not None and current.agent is instance


def planning(telemetry: Telemetry) -> Begin:
    """``CrewPlanner._handle_crew_planning()``."""

    def begin(call: Call) -> Running | None:
        return Plan(telemetry, None)

    return begin


def reasoning(telemetry: Telemetry) -> Begin:
    """``AgentReasoning.handle_agent_reasoning()``: an agent plans how to go about its task."""

    def begin(call: Call) -> Running | None:
        return Plan(telemetry, role_of(getattr(call.instance, "agent", None)))

    return begin


def guardrail(telemetry: Telemetry) -> Begin:
    """``process_guardrail(output, guardrail, retry_count, …)``."""

    def begin(call: Call) -> Running | None:
        return Step(telemetry, "guardrail", {})

    return begin


def human_input(telemetry: Telemetry) -> Begin:
    """``SyncHumanInputProvider._prompt_input(crew)``: somebody is asked, and may take long."""

    def begin(call: Call) -> Running | None:
        return Step(telemetry, "human_input", {})

    return begin

"""What runs: a team, its agents, and agents of the core, which an application writes by itself."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import (
    InvokeAgent,
    InvokeWorkflow,
    Operation,
    Step,
    hand_over,
)
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._delivery import publishing_beside, publishing_within
from ._messages import answer, last_answer, request, task

__all__ = ["TeamRun", "actor", "agent", "agent_run", "team", "team_run", "within_tool"]

_STOP: Final = "_StopAgent"
"""What early versions end a graph by; nobody's agent."""
_OWN: Final = ("autogen_agentchat.", "autogen_core.", "autogen_ext.")
_RUN: Final[Slot[Operation]] = Slot("autogen-run", Operation)
"""The run of an agent, or of a team between two turns, that a context is in."""


class TeamRun(InvokeWorkflow):
    """The run of a team.

    Attributes:
        turns: The turns that agents have had by now.
        ways: Edges of a graph that are open by now, each by the names of its agents.
        stage: The step that an orchestrator is at.
    """

    __slots__ = ("_result", "stage", "turns", "ways")

    def __init__(self, telemetry: Telemetry, instance: Any, given: Any, parent: Context) -> None:
        super().__init__(telemetry, _name_of(instance), input=task(given), parent=parent)
        self._result: Any = None
        self.turns = 0
        self.ways: list[tuple[str, str]] = []
        self.stage: Step | None = None
        self.context = _RUN.set(self, publishing_within(self.context))

    def end_stage(self, outcome: str | None = None) -> None:
        """The step that an orchestrator is at, if it is at one, has come to its end."""
        stage, self.stage = self.stage, None
        if stage is None:
            return
        if outcome is not None:
            stage.set_outcome(outcome)
        stage.end()

    def fail_stage(self, error: BaseException) -> None:
        """It has come to no end."""
        stage, self.stage = self.stage, None
        if stage is not None:
            stage.failed(error)

    def chunk(self, item: Any) -> object:
        """The last item is the result of the run."""
        self._result = item
        return None

    def conclude(self) -> None:
        """Keep the answer, if the run came to one; a step that is open has failed with it."""
        if self.error is not None:
            self.fail_stage(self.error)
        self.end_stage()
        if self.content.enabled:
            self.content.output_messages = last_answer(self._result)


class AgentRun(InvokeAgent):
    """One turn of an agent in a team, or its work alone."""

    __slots__ = ("_handoffs", "executed", "team")

    def __init__(self, telemetry: Telemetry, agent: Any, messages: Any) -> None:
        given = request(messages) if telemetry.gate.enabled else None
        super().__init__(telemetry, agent.name, input=given)
        self._handoffs: Any = getattr(agent, "_handoffs", ())
        self.executed: set[str] = set()
        self.team = team_run()
        if self.team is not None:
            self.team.turns += 1
            self.attributes[attr.OTEL_AGENTS_TURN] = self.team.turns
        self.context = _RUN.set(self, self.context)

    def respond(self, value: Any) -> None:
        """Keep the answer, and report a handoff that no model has requested."""
        self.complete = True  # who has the response needs no more of a stream
        message: Any = getattr(value, "chat_message", None)
        if self.content.enabled:
            self.content.output_messages = answer(message)
        target = getattr(message, "target", None)
        if self.team is None or not isinstance(target, str) or not target:
            return
        if self.executed.isdisjoint(self._handoffs):
            hand_over(self.telemetry, self.subject, target, self.context)

    def chunk(self, item: Any) -> object:
        """The last item of a stream is the response."""
        if hasattr(item, "chat_message"):
            self.observe(item)
        return None


def _name_of(instance: Any) -> str | None:
    """The name that the application gave to a team; its type's is none."""
    name = getattr(instance, "name", None)
    given = isinstance(name, str) and name != getattr(instance, "DEFAULT_NAME", None)
    return name if given else None


def agent_run(context: Context) -> AgentRun | None:
    """The agent's run that ``context`` is in."""
    run = _RUN.get(context)
    return run if isinstance(run, AgentRun) else None


def team_run() -> TeamRun | None:
    """The team's run that the current context is in, where it is between two turns."""
    run = _RUN.get()
    return run if isinstance(run, TeamRun) else None


def within_tool(context: Context) -> Context:
    """``context`` for a tool: an agent inside of it has a run of its own, and no turn."""
    return _RUN.set(None, context)


def team(telemetry: Telemetry, call: Call) -> TeamRun:
    """``BaseGroupChat.run_stream(task=…)``, by which every run of a team goes."""
    parent = get_current()
    known = getattr(call.instance, "_team_id", None)
    if isinstance(known, str) and conversation_id(parent) is None:
        parent = with_conversation_id(known, parent)
    return TeamRun(telemetry, call.instance, call.kwargs.get("task"), parent)


def agent(telemetry: Telemetry, call: Call) -> AgentRun | None:
    """``ChatAgent.on_messages(messages, token)`` and ``on_messages_stream``, one in the other."""
    if type(call.instance).__name__ == _STOP:
        return None
    return AgentRun(telemetry, call.instance, call.argument(0, "messages"))


def actor(telemetry: Telemetry, call: Call) -> InvokeAgent | None:
    """``BaseAgent.on_message(message, context)``; AutoGen's own agents only pass messages on."""
    instance: Any = call.instance
    if type(instance).__module__.startswith(_OWN):
        return None
    outer = get_current()
    message = task(call.argument(0, "message"))
    run = InvokeAgent(telemetry, instance.id.type, input=message, output=_said, parent=outer)
    run.context = publishing_beside(outer, within_tool(run.context))
    return run


def _said(value: Any) -> Any:
    """The answer of an agent of the core, if there is one."""
    return answer(value) if value is not None else None

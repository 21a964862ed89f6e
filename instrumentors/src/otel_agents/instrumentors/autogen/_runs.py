"""Runs of teams, of their agents, and of core agents, which an application writes itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

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

from ._delivery import publishing_in, publishing_within
from ._messages import agent_input, agent_output, task, team_output

if TYPE_CHECKING:
    from autogen_agentchat.base import ChatAgent, Response
    from autogen_agentchat.messages import BaseChatMessage
    from autogen_agentchat.teams import BaseGroupChat
    from autogen_core import BaseAgent

__all__ = ["TeamRun", "agent", "agent_run", "core_agent", "team", "team_run", "within_tool"]

# Early versions of graphs add this agent to end the run. The application does not know it.
_STOP_AGENT: Final = "_StopAgent"
_AUTOGEN: Final = ("autogen_agentchat.", "autogen_core.", "autogen_ext.")
_RUN: Final[Slot[Operation]] = Slot("autogen-run", Operation)
"""The innermost run: of an agent, or of a team between two turns."""


class TeamRun(InvokeWorkflow):
    """The run of a team.

    Attributes:
        turns: The number of turns so far.
        open_edges: The open edges of a graph, each by the names of its two agents.
        stage: The current step of an orchestrator.
    """

    __slots__ = ("_result", "open_edges", "stage", "turns")

    def __init__(
        self, telemetry: Telemetry, team: BaseGroupChat, given: Any, parent: Context
    ) -> None:
        super().__init__(telemetry, _name_of(team), input=task(given), parent=parent)
        self._result: Any = None
        self.turns = 0
        self.open_edges: list[tuple[str, str]] = []
        self.stage: Step | None = None
        self.context = _RUN.set(self, publishing_within(self.context))

    def end_stage(self, outcome: str | None = None) -> None:
        """End the orchestrator's current step, if any, with ``outcome``."""
        stage, self.stage = self.stage, None
        if stage is None:
            return
        if outcome is not None:
            stage.set_outcome(outcome)
        stage.end()

    def fail_stage(self, error: BaseException) -> None:
        """End the orchestrator's current step, if any, with ``error``."""
        stage, self.stage = self.stage, None
        if stage is not None:
            stage.failed(error)

    def chunk(self, item: Any) -> object:
        """Keep the last item, which is the result of the run."""
        self._result = item
        return None

    def conclude(self) -> None:
        """Record the last message; an open step fails with the run."""
        if self.error is not None:
            self.fail_stage(self.error)
        self.end_stage()
        if self.content.enabled:
            self.content.output_messages = team_output(self._result)


class AgentRun(InvokeAgent):
    """One turn of an agent in a team, or its run alone."""

    __slots__ = ("_handoffs", "executed", "team")

    def __init__(
        self, telemetry: Telemetry, agent: ChatAgent, messages: Sequence[BaseChatMessage] | None
    ) -> None:
        input = agent_input(messages) if telemetry.gate.enabled else None
        super().__init__(telemetry, agent.name, input=input)
        self._handoffs: Any = getattr(agent, "_handoffs", ())
        self.executed: set[str] = set()
        self.team = team_run()
        if self.team is not None:
            self.team.turns += 1
            self.attributes[attr.OTEL_AGENTS_TURN] = self.team.turns
        self.context = _RUN.set(self, self.context)

    def respond(self, value: Response) -> None:
        """Record the response, and a handoff that no model has requested."""
        self.complete = True  # a caller that has the response may leave the rest of the stream
        message: Any = getattr(value, "chat_message", None)
        if self.content.enabled:
            self.content.output_messages = agent_output(message)
        target = getattr(message, "target", None)
        if self.team is None or not isinstance(target, str) or not target:
            return
        if self.executed.isdisjoint(self._handoffs):
            hand_over(self.telemetry, self.subject, target, self.context)

    def chunk(self, item: Any) -> object:
        """Record the last item of a stream, which is the response."""
        if hasattr(item, "chat_message"):
            self.observe(item)
        return None


def _name_of(team: BaseGroupChat) -> str | None:
    """Return the name that the application gave to a team; None for the type's default name."""
    name = getattr(team, "name", None)
    given = isinstance(name, str) and name != getattr(team, "DEFAULT_NAME", None)
    return name if given else None


def agent_run(context: Context) -> AgentRun | None:
    """Return the agent's run that ``context`` is in."""
    run = _RUN.get(context)
    return run if isinstance(run, AgentRun) else None


def team_run() -> TeamRun | None:
    """Return the team's run that the current context is in; None within a turn."""
    run = _RUN.get()
    return run if isinstance(run, TeamRun) else None


def within_tool(context: Context) -> Context:
    """Return ``context`` for a tool: an agent in it has a run of its own, and is not a turn."""
    return _RUN.set(None, context)


def team(telemetry: Telemetry, call: Call) -> TeamRun:
    """Start ``BaseGroupChat.run_stream(task=…)``, which every run of a team calls."""
    parent = get_current()
    team_id = getattr(call.instance, "_team_id", None)
    if isinstance(team_id, str) and conversation_id(parent) is None:
        parent = with_conversation_id(team_id, parent)
    return TeamRun(telemetry, call.instance, call.kwargs.get("task"), parent)


def agent(telemetry: Telemetry, call: Call) -> AgentRun | None:
    """Start ``ChatAgent.on_messages(messages, token)`` or ``on_messages_stream``."""
    if type(call.instance).__name__ == _STOP_AGENT:
        return None
    return AgentRun(telemetry, call.instance, call.argument(0, "messages"))


def core_agent(telemetry: Telemetry, call: Call) -> InvokeAgent | None:
    """Start ``BaseAgent.on_message(message, context)``; AutoGen's own agents only pass it on."""
    instance: BaseAgent = call.instance
    if type(instance).__module__.startswith(_AUTOGEN):
        return None
    outer = get_current()
    message = task(call.argument(0, "message"))
    run = InvokeAgent(telemetry, instance.id.type, input=message, output=_output, parent=outer)
    run.context = publishing_in(outer, within_tool(run.context))
    return run


def _output(value: Any) -> Any:
    """Return the message that a core agent returns, if any."""
    return agent_output(value) if value is not None else None

"""What runs in a team: the team, its agents, and people who are asked."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context, create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.context.identity import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow, Step
from otel_agents.instrumentors._core.operations.handoffs import hand_over
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._messages import answer, last_answer, request, task
from ._publishing import publishing_within

__all__ = ["TeamRun", "agent", "agent_run", "human_input", "team", "team_run", "within_tool"]

_AGENT: Final = create_key("otel_agents-autogen-agent-run")
_TEAM: Final = create_key("otel_agents-autogen-team-run")
_STOP: Final = "_StopAgent"
"""What early versions end a graph by; nobody's agent."""


class TeamRun(InvokeWorkflow):
    """The run of a team.

    Attributes:
        turns: The turns that agents have had by now.
        ways: Edges of a graph that are open by now, each by the names of its agents.
    """

    __slots__ = ("_result", "turns", "ways")

    def __init__(self, telemetry: Telemetry, instance: Any, asked: Any, parent: Context) -> None:
        super().__init__(telemetry, _name_of(instance), parent=parent)
        self._result: Any = None
        self.turns = 0
        self.ways: list[tuple[str, str]] = []
        if telemetry.gate.wanted:
            self.content.input_messages = task(asked)
        context = publishing_within(set_value(_AGENT, None, self.context))
        self.context = set_value(_TEAM, self, context)

    def chunk(self, item: Any) -> object:
        """The last item is the result of the run."""
        self._result = item
        return None

    def exhausted(self, value: Any) -> None:
        """The run is at its end."""
        if self._gate.wanted:
            self.content.output_messages = last_answer(self._result)
        super().exhausted(value)


class AgentRun(InvokeAgent):
    """One turn of an agent in a team, or its work alone."""

    __slots__ = ("_answered", "agent", "executed", "team")

    def __init__(self, telemetry: Telemetry, agent: Any, messages: Any) -> None:
        super().__init__(telemetry, agent.name)
        self._answered = False
        self.agent = agent
        self.executed: set[str] = set()
        self.team = team_run()
        if self.team is not None:
            self.team.turns += 1
            self.attributes[attr.OTEL_AGENTS_TURN] = self.team.turns
        if telemetry.gate.wanted:
            self.content.input_messages = request(messages)
        self.context = set_value(_AGENT, self, set_value(_TEAM, None, self.context))

    def respond(self, value: Any) -> None:
        """Keep the answer, and tell of a handoff that no model has asked for."""
        self._answered = True
        message: Any = getattr(value, "chat_message", None)
        if self._gate.wanted:
            self.content.output_messages = answer(message)
        target = getattr(message, "target", None)
        if self.team is None or not isinstance(target, str) or not target:
            return
        if self.executed.isdisjoint(getattr(self.agent, "_handoffs", ())):
            hand_over(self.telemetry, self.subject, target, self.context)

    def chunk(self, item: Any) -> object:
        """The last item of a stream is the response."""
        if hasattr(item, "chat_message"):
            self.observe(item)
        return None

    def abandoned(self) -> None:
        """Who has the response needs no more of the stream."""
        if self._answered:
            self.end()
        else:
            super().abandoned()


def _name_of(instance: Any) -> str | None:
    """The name that the application gave to a team; its type's is none."""
    name = getattr(instance, "name", None)
    given = isinstance(name, str) and name != getattr(instance, "DEFAULT_NAME", None)
    return name if given else None


def agent_run(context: Context | None = None) -> AgentRun | None:
    """The agent's run that ``context`` is in."""
    found = get_value(_AGENT, context)
    return found if isinstance(found, AgentRun) else None


def team_run(context: Context | None = None) -> TeamRun | None:
    """The team's run that ``context`` is in, where it is between two turns."""
    found = get_value(_TEAM, context)
    return found if isinstance(found, TeamRun) else None


def within_tool(context: Context) -> Context:
    """``context`` for a tool: an agent inside of it has a run of its own, and no turn."""
    return set_value(_AGENT, None, set_value(_TEAM, None, context))


def team(telemetry: Telemetry) -> Begin:
    """``BaseGroupChat.run_stream(task=…)``, by which every run of a team goes."""

    def begin(call: Call) -> Running | None:
        parent = get_current()
        known = getattr(call.instance, "_team_id", None)
        if isinstance(known, str) and conversation_id(parent) is None:
            parent = with_conversation_id(known, parent)
        return TeamRun(telemetry, call.instance, call.kwargs.get("task"), parent)

    return begin


def agent(telemetry: Telemetry) -> Begin:
    """``ChatAgent.on_messages(messages, token)`` and ``on_messages_stream``, one in the other."""

    def begin(call: Call) -> Running | None:
        current, instance = agent_run(), call.instance
        if current is not None and current.agent is instance:
            return None
        if type(instance).__name__ == _STOP:
            return None
        messages = call.argument(0, "messages")
        return AgentRun(telemetry, instance, messages)

    return begin


def human_input(telemetry: Telemetry) -> Begin:
    """``UserProxyAgent._get_input(prompt, token)``: somebody is asked, and may take long."""

    def begin(call: Call) -> Running | None:
        return Step(telemetry, "human_input", {})

    return begin

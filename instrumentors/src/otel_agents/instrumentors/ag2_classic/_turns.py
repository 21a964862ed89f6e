"""Turns of agents, human input, and what decides who is next: selections, guardrails, handoffs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import Observation, after, watch
from otel_agents.instrumentors._core.context.carrying import Handover
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import InvokeAgent, Selection, Step, hand_over
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import text
from otel_agents.semconv import attributes as attr

from ._chats import is_manager
from ._conversation import current_state, outside_chat, with_state
from ._messages import last_message, messages_of

if TYPE_CHECKING:
    from autogen import ConversableAgent
    from autogen.agentchat.group.guardrails import Guardrail

__all__ = [
    "Turn",
    "guardrail",
    "guardrail_checks",
    "handoff",
    "human_input",
    "selection",
    "selection_attempt",
    "termination",
    "turn",
]


class Turn(InvokeAgent):
    """An agent's turn in a conversation, or its reply to the application.

    Attributes:
        agent: The agent.
        sender: The agent whose message it replies to.
        messages: The messages that it was called with, None for those of the conversation.
        chat: The chat that counts the turn, None outside of any.
        terminated: Whether the agent ended the conversation instead of replying.
        active: Whether human input was requested in the turn.
    """

    __slots__ = ("active", "agent", "chat", "messages", "sender", "terminated")

    def __init__(
        self, telemetry: Telemetry, agent: ConversableAgent, sender: Any, messages: Any
    ) -> None:
        super().__init__(telemetry, agent.name, output=partial(messages_of, role="assistant"))
        self.agent, self.sender, self.messages = agent, sender, messages
        self.active = self.terminated = False
        state = current_state()
        self.chat = state.chat if state.turn is None else None
        if self.chat is not None:
            self.chat.turns += 1
            self.attributes[attr.OTEL_AGENTS_TURN] = self.chat.turns
        if telemetry.gate.enabled:
            self.content.input_messages = messages_of(self.request, "user")
        self.context = with_state(self.context, turn=self)

    @property
    def request(self) -> Any:
        """Return the message that the turn replies to, as it was sent."""
        messages = self.messages
        if messages is None:
            messages = self.agent.chat_messages.get(self.sender)
        return last_message(messages)

    def respond(self, value: Any) -> None:
        """Record the reply; discard a turn that only ended the conversation."""
        called = self.scope.inference_calls or self.scope.tool_calls
        if value is None and self.terminated and not self.active and not called:
            self.discard()
            if self.chat is not None:
                self.chat.turns -= 1
        else:
            super().respond(value)


def turn(telemetry: Telemetry, call: Call) -> Turn | None:
    """Start at ``Agent.generate_reply(messages, sender, …)`` or its async variant.

    Nothing starts where the agent's turn is already recorded, as in an override that calls
    ``super``.
    """
    state = current_state()
    agent: ConversableAgent = call.instance
    in_own_turn = state.turn is not None and state.turn.agent is agent
    if in_own_turn or state.selection is not None or is_manager(agent):
        return None
    messages, sender = call.argument(0, "messages"), call.argument(1, "sender")
    return Turn(telemetry, agent, sender, messages)


def _observe_termination(telemetry: Telemetry, call: Call, value: Any) -> None:
    turn = current_state().turn
    if turn is not None and value == (True, None):  # final, without a reply
        turn.terminated = True


termination: Final = after(_observe_termination)
"""Observe ``ConversableAgent.check_termination_and_human_reply(…)`` and its async variant."""

_prompt_contexts: Final = Handover()
"""The contexts of prompts on their way to an executor."""
# AutoGen 0.2's a_get_human_input runs get_human_input in an executor, without the context.


def human_input(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Start at ``ConversableAgent.get_human_input(prompt)`` or its async variant."""
    work = (call.instance, call.argument(0, "prompt"))
    context = None if get_current() else _prompt_contexts.take(*work)
    if context is not None:
        return Observation(context)
    state = current_state()
    if state.turn is not None:
        state.turn.active = True
    if state.awaiting_human:
        return None
    step = Step(telemetry, "human_input")
    step.context = with_state(step.context, awaiting_human=True)
    _prompt_contexts.give(*work, context=step.context)
    step.when_ended.append(partial(_prompt_contexts.drop, *work))
    return step


class _Selection(Selection):
    """One selection of a speaker, by an internal chat of AG2."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the selected speaker."""
        name = getattr(value, "name", None)
        if isinstance(name, str):
            self.record_choice(name)


def selection(telemetry: Telemetry, call: Call) -> Selection:
    """Start at ``GroupChat._auto_select_speaker(…)`` or its async variant: a model selects."""
    step = _Selection(telemetry)
    step.context = with_state(step.context, selection=step)
    return step


def _observe_attempt(telemetry: Telemetry, call: Call, mentions: Any) -> None:
    current = current_state().selection
    if current is not None:
        current.record_attempt(len(mentions) == 1)


selection_attempt: Final = after(_observe_attempt)
"""Observe ``GroupChat._mentioned_agents(content, agents)``, which reads the model's response."""


class _Guardrail(Step):
    """A check of an agent's input or output."""

    __slots__ = ("_guardrail",)

    def __init__(self, telemetry: Telemetry, guardrail: Guardrail) -> None:
        super().__init__(telemetry, "guardrail", guardrail.name)
        self._guardrail = guardrail
        self.context = outside_chat(self.context)

    def respond(self, value: Any) -> None:
        """Record the verdict; a failed guardrail names the agent to hand over to."""
        failed = bool(getattr(value, "activated", False))
        self.set_outcome("failed" if failed else "passed")
        checks = _CHECKS.get()
        if failed and checks is not None:
            checks.failed = self._guardrail


def guardrail(telemetry: Telemetry, call: Call) -> Step:
    """Start at ``Guardrail.check(context)``: a regular expression, a model, or a custom check."""
    return _Guardrail(telemetry, call.instance)


class _GuardrailChecks:
    """The guardrails that a group runs for one agent; ``failed`` is the one that failed, if any."""

    failed: Guardrail | None = None


_CHECKS: Final = Slot("ag2-checks", _GuardrailChecks)


def guardrail_checks(telemetry: Telemetry, call: Call) -> Observation:
    """Observe ``GroupChat._run_input_guardrails(agent, …)`` or ``_run_output_guardrails``.

    A failed guardrail hands over to its target.
    """
    checks = _GuardrailChecks()

    def returned(reply: Any) -> None:
        target = text(getattr(checks.failed, "target", None), "agent_name")
        if target:
            hand_over(telemetry, getattr(call.argument(0, "agent"), "name", None), target)

    return Observation(_CHECKS.set(checks), returned=returned)


def _record_handoff(telemetry: Telemetry, call: Call) -> None:
    target = text(call.argument(1, "transition_target"), "agent_name")
    if target:  # other targets, like the end of the conversation, are no agents
        hand_over(telemetry, getattr(call.argument(0, "source_agent"), "name", None), target)


handoff: Final = watch(_record_handoff)
"""Observe ``AfterWorksTransitionEvent(source_agent, transition_target)`` and the like.

These are handoffs by rule; a handoff by a model is a tool call.
"""

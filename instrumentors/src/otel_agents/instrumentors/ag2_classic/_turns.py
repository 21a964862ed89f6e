"""Turns: an agent replies, by its model, its tools, its code or its human; and who is next."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

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
from ._messages import last, said
from ._places import at, outside, place

__all__ = [
    "Turn",
    "guarded",
    "guardrail",
    "handoff",
    "human_input",
    "selection",
    "selection_tried",
    "termination",
    "turn",
]


class Turn(InvokeAgent):
    """An agent's turn in a conversation, or its reply to an application.

    ``terminated`` says that the agent has ended the conversation instead of replying, ``active`` that
    it did something all the same.
    """

    __slots__ = ("active", "agent", "chat", "messages", "sender", "terminated")

    def __init__(self, telemetry: Telemetry, agent: Any, sender: Any, messages: Any) -> None:
        super().__init__(telemetry, agent.name, output=partial(said, role="assistant"))
        self.agent, self.sender, self.messages = agent, sender, messages
        self.active = self.terminated = False
        here = place()
        self.chat = here.chat if here.turn is None else None
        if self.chat is not None:
            self.chat.turns += 1
            self.attributes[attr.OTEL_AGENTS_TURN] = self.chat.turns
        if telemetry.gate.enabled:
            self.content.input_messages = said(self.question, "user")
        self.context = at(self.context, turn=self)

    @property
    def question(self) -> Any:
        """The message that is replied to, as it was sent."""
        messages = self.messages
        if messages is None:
            messages = self.agent.chat_messages.get(self.sender)
        return last(messages)

    def respond(self, value: Any) -> None:
        """Keep the reply; a turn in which the conversation was only ended is none."""
        called = self.scope.inference_calls or self.scope.tool_calls
        if value is None and self.terminated and not self.active and not called:
            self.discard()
            if self.chat is not None:
                self.chat.turns -= 1
        else:
            super().respond(value)


def turn(telemetry: Telemetry, call: Call) -> Turn | None:
    """``Agent.generate_reply(messages, sender, …)`` and its asynchronous form.

    An agent that replies in a chat within its turn has another turn there.
    """
    here, agent = place(), call.instance
    again = here.turn is not None and here.turn.agent is agent
    if again or here.selecting is not None or is_manager(agent):
        return None
    messages, sender = call.argument(0, "messages"), call.argument(1, "sender")
    return Turn(telemetry, agent, sender, messages)


def _look_for_the_end(telemetry: Telemetry, call: Call, value: Any) -> None:
    turn = place().turn
    if turn is not None and value == (True, None):  # final, and no reply
        turn.terminated = True


termination: Final = after(_look_for_the_end)
"""``ConversableAgent.check_termination_and_human_reply(…)`` and its asynchronous form."""

_prompts: Final = Handover()
"""On their way to an executor, in which early versions wait for an answer."""


def human_input(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """``ConversableAgent.get_human_input(prompt)`` and its asynchronous form; it may take long."""
    work = (call.instance, call.argument(0, "prompt"))
    waiting = None if get_current() else _prompts.take(*work)
    if waiting is not None:
        return Observation(waiting)
    here = place()
    if here.turn is not None:
        here.turn.active = True
    if here.asking:
        return None
    step = Step(telemetry, "human_input")
    step.context = at(step.context, asking=True)
    _prompts.give(*work, context=step.context)
    step.when_ended.append(partial(_prompts.drop, *work))
    return step


class _Selection(Selection):
    """One selection of a speaker, in a chat of its own."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Keep who it is."""
        name = getattr(value, "name", None)
        if isinstance(name, str):
            self.record_choice(name)


def selection(telemetry: Telemetry, call: Call) -> Selection:
    """``GroupChat._auto_select_speaker(…)`` and its asynchronous form: a model decides."""
    step = _Selection(telemetry)
    step.context = at(step.context, selecting=step)
    return step


def _look_for_a_name(telemetry: Telemetry, call: Call, mentions: Any) -> None:
    selecting = place().selecting
    if selecting is not None:
        selecting.record_attempt(len(mentions) == 1)


selection_tried: Final = after(_look_for_a_name)
"""``GroupChat._mentioned_agents(content, agents)``: what is in the answer of a model."""


class _Guardrail(Step):
    """A check of what goes to an agent, or comes from it."""

    __slots__ = ("_guardrail",)

    def __init__(self, telemetry: Telemetry, guardrail: Any) -> None:
        super().__init__(telemetry, "guardrail", guardrail.name)
        self._guardrail = guardrail
        self.context = outside(self.context)

    def respond(self, value: Any) -> None:
        """Keep the verdict; what has failed decides who goes on."""
        failed = bool(getattr(value, "activated", False))
        self.set_outcome("failed" if failed else "passed")
        checks = _CHECKS.get()
        if failed and checks is not None:
            checks.failed = self._guardrail


def guardrail(telemetry: Telemetry, call: Call) -> Step:
    """``Guardrail.check(context)``: by an expression, by a model, or in a way of the application's."""
    return _Guardrail(telemetry, call.instance)


class _Checks:
    """What a group has checked of one agent; ``failed`` is the guardrail that did, if one did."""

    failed: Any = None


_CHECKS: Final = Slot("ag2-checks", _Checks)


def guarded(telemetry: Telemetry, call: Call) -> Observation:
    """``GroupChat._run_input_guardrails(agent, …)`` and its like: one that fails says who goes on."""
    checks = _Checks()

    def returned(reply: Any) -> None:
        target = text(getattr(checks.failed, "target", None), "agent_name")
        if target:
            hand_over(telemetry, getattr(call.argument(0, "agent"), "name", None), target)

    return Observation(_CHECKS.set(checks), returned=returned)


def _hand_over(telemetry: Telemetry, call: Call) -> None:
    target = text(call.argument(1, "transition_target"), "agent_name")
    if target:  # else it is no agent, as the end of the conversation
        hand_over(telemetry, getattr(call.argument(0, "source_agent"), "name", None), target)


handoff: Final = watch(_hand_over)
"""``AfterWorksTransitionEvent(source_agent, transition_target)`` and its like: by rule.

A handoff that a model asks for is a tool's call.
"""

"""Chats: of two agents, of a group, several in a row; and the selection of who speaks next."""

from __future__ import annotations

import sys
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.operations import InvokeWorkflow, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from . import _scopes
from ._messages import conclusion, last, said

__all__ = ["Chat", "chat", "group_chat", "is_manager", "selection"]

_GROUPS: Final = "autogen.agentchat.groupchat"


class Chat(InvokeWorkflow):
    """A conversation.

    ``members`` are those who began it, sender first; ``turns`` is the number of the last turn.
    """

    __slots__ = ("members", "queue", "turns")

    def __init__(
        self, telemetry: Telemetry, members: tuple[Any, ...], parent: Context | None = None
    ) -> None:
        self.queue = _scopes.queue(parent)
        if self.queue is not None:
            parent = self.queue.enter(telemetry)
        super().__init__(telemetry, None, parent=parent)
        self.members = members
        self.turns = 0
        self.context = _scopes.inside_chat(self, self.context)

    def respond(self, value: Any) -> None:
        """Keep what the chat has come to."""
        if self._gate.wanted:
            self.content.output_messages = conclusion(value)

    def end(self) -> None:
        """End, and have the queue go on."""
        super().end()
        if self.queue is not None:
            queue, self.queue = self.queue, None
            queue.leave(self)


class GroupChat(Chat):
    """A group's conversation that nobody else has begun: within a turn, or by itself."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Keep what was said last."""
        if self._gate.wanted:
            group = self.members[-1].groupchat
            self.content.output_messages = said(last(group.messages), "assistant")


def is_manager(agent: Any) -> bool:
    """Whether ``agent`` runs a group chat, and says nothing by itself."""
    groups: Any = sys.modules.get(_GROUPS)
    return groups is not None and isinstance(agent, groups.GroupChatManager)


def chat(telemetry: Telemetry) -> Begin:
    """``ConversableAgent.initiate_chat(recipient, …, message)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        if _scopes.selecting():
            return None
        recipient = call.argument(0, "recipient")
        begun = Chat(telemetry, (call.instance, recipient), _scopes.carried())
        if telemetry.gate.wanted:
            begun.content.input_messages = said(call.argument(7, "message"), "user")
        return begun

    return begin


def group_chat(telemetry: Telemetry) -> Begin:
    """``GroupChatManager.run_chat(messages, sender, config)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        around = _scopes.chat()
        manager = call.instance
        if (
            around is not None
            and _scopes.turn() is None
            and any(m is manager for m in around.members)
        ):
            return None
        sender = call.argument(1, "sender")
        begun = GroupChat(telemetry, (sender, manager))
        if telemetry.gate.wanted:
            begun.content.input_messages = said(last(call.argument(0, "messages")), "user")
        return begun

    return begin


def selection(telemetry: Telemetry) -> Begin:
    """``GroupChat._auto_select_speaker(…)`` and its asynchronous form: a model is asked who."""

    def begin(call: Call) -> Running | None:
        step = Step(telemetry, "select_speaker", {})
        step.context = _scopes.in_selection(step.context)
        return step

    return begin

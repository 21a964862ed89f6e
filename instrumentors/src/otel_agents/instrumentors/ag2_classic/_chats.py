"""Chats: of two agents, of a group, or several in a row."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import within
from otel_agents.instrumentors._core.operations import InvokeWorkflow
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._messages import Messages, conclusion, last, said, said_first
from ._places import at, place, run_context

__all__ = ["Chat", "Queue", "chat", "chats", "group_chat", "is_manager", "queued"]

_GROUPS: Final = "autogen.agentchat.groupchat"
_UNNAMED: Final = "chat_manager"
"""The name of a manager that the application has not named."""


def is_manager(agent: Any) -> bool:
    """Whether ``agent`` runs a group chat, and says nothing by itself."""
    groups: Any = sys.modules.get(_GROUPS)
    return groups is not None and isinstance(agent, groups.GroupChatManager)


def _name(agent: Any) -> str | None:
    """The name of a group that ``agent`` runs: its manager's, if the application gave it one."""
    return agent.name if is_manager(agent) and agent.name != _UNNAMED else None


class Chat(InvokeWorkflow):
    """A conversation.

    ``members`` are those who began it, sender first, and of chats in a row nobody; ``turns`` is
    the number of the last turn.
    """

    __slots__ = ("answer", "members", "turns")

    def __init__(
        self,
        telemetry: Telemetry,
        members: tuple[Any, ...],
        input: Messages,
        output: Callable[[Any], Messages] = conclusion,
        parent: Context | None = None,
    ) -> None:
        queue = place(parent).queue
        if queue is not None:
            parent = queue.enter(telemetry)
        name = _name(members[-1]) if members else None
        super().__init__(telemetry, name, input=input, output=output, parent=parent)
        if queue is not None:
            self.when_ended.append(partial(queue.leave, self))
        self.members = members
        self.turns = 0
        self.answer: Any = None
        self.context = at(self.context, chat=self, turn=None, queue=None)

    def respond(self, value: Any) -> None:
        """Keep what it has come to, which may be the answer of a row."""
        self.answer = self._output(value) if self._output is not None else None
        self.content.output_messages = self.answer


def chat(telemetry: Telemetry, call: Call) -> Chat | None:
    """``ConversableAgent.initiate_chat(recipient, …, message)`` and its asynchronous form."""
    if place().selecting is not None:
        return None
    members = (call.instance, call.argument(0, "recipient"))
    question = said(call.argument(7, "message"), "user")
    return Chat(telemetry, members, question, parent=run_context())


def group_chat(telemetry: Telemetry, call: Call) -> Chat | None:
    """``GroupChatManager.run_chat(messages, sender, config)`` and its asynchronous form.

    A conversation of its own where nobody else has begun it: within a turn, or by itself.
    """
    here, manager = place(), call.instance
    if here.chat is not None and here.turn is None and any(m is manager for m in here.chat.members):
        return None
    members = (call.argument(1, "sender"), manager)
    question = said(last(call.argument(0, "messages")), "user")
    return Chat(
        telemetry, members, question, lambda _: said(last(manager.groupchat.messages), "assistant")
    )


def _in_a_row(telemetry: Telemetry, queue: Any, parent: Context | None = None) -> Chat:
    return Chat(telemetry, (), said_first(queue), parent=parent)


def chats(telemetry: Telemetry, call: Call) -> Chat | None:
    """``initiate_chats(chat_queue)`` and its asynchronous form; in a turn they are the turn's."""
    here = place()
    in_a_row = here.chat is not None and not here.chat.members
    if here.turn is not None or in_a_row:
        return None
    return _in_a_row(telemetry, call.argument(0, "chat_queue"))


class Queue:
    """Chats in a row that are begun one by one elsewhere, after the call for them has returned."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._caller = get_current()
        self._waiting = len(queue)
        self._row: Chat | None = None

    def enter(self, telemetry: Telemetry) -> Context:
        """The next chat begins; with the first one, the row does."""
        if self._row is None:
            self._row = _in_a_row(telemetry, self._queue, self._caller)
        return self._row.context

    def leave(self, chat: Chat) -> None:
        """A chat has ended: the last one, or one that failed, ends the row."""
        self._waiting -= 1
        row = self._row
        if row is None:
            return
        if chat.error is not None:
            row.failed(chat.error)
        elif self._waiting <= 0:
            row.content.output_messages = chat.answer
            row.end()


def _queue(telemetry: Telemetry, call: Call) -> Context:
    return at(queue=Queue(call.argument(0, "chat_queue") or ()))


queued: Final = within(_queue)
"""``ConversableAgent.sequential_run(chat_queue)`` and its asynchronous form."""

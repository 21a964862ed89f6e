"""Chats of two agents or of a group, and sequences of chats."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import within
from otel_agents.instrumentors._core.operations import InvokeWorkflow
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._conversation import current_state, run_context, with_state
from ._messages import Messages, conclusion, first_request, last_message, messages_of

if TYPE_CHECKING:
    from autogen import Agent, GroupChatManager

__all__ = ["Chat", "ChatSequence", "chat", "chats", "group_chat", "is_manager", "sequential_run"]

_GROUPS: Final = "autogen.agentchat.groupchat"
_DEFAULT_MANAGER_NAME: Final = "chat_manager"


def is_manager(agent: Agent) -> bool:
    """Return whether ``agent`` manages a group chat, and takes no turn of its own."""
    groups: Any = sys.modules.get(_GROUPS)
    return groups is not None and isinstance(agent, groups.GroupChatManager)


def _name(agent: Agent) -> str | None:
    """Return the name of the group that ``agent`` manages, if the application named the manager."""
    return agent.name if is_manager(agent) and agent.name != _DEFAULT_MANAGER_NAME else None


class Chat(InvokeWorkflow):
    """A chat, or a sequence of chats.

    Attributes:
        participants: The agents that started the chat, sender first; empty for a sequence.
        turns: The number of the last turn.
        result: The output messages.
    """

    __slots__ = ("participants", "result", "turns")

    def __init__(
        self,
        telemetry: Telemetry,
        participants: tuple[Any, ...],
        input: Messages,
        output: Callable[[Any], Messages] = conclusion,
        parent: Context | None = None,
    ) -> None:
        sequence = current_state(parent).sequence
        if sequence is not None:
            parent = sequence.chat_started(telemetry)
        name = _name(participants[-1]) if participants else None
        super().__init__(telemetry, name, input=input, output=output, parent=parent)
        if sequence is not None:
            self.when_ended.append(partial(sequence.chat_ended, self))
        self.participants = participants
        self.turns = 0
        self.result: Any = None
        self.context = with_state(self.context, chat=self, turn=None, sequence=None)

    def respond(self, value: Any) -> None:
        """Record the result, which may be the result of a sequence, too."""
        self.result = self._output(value) if self._output is not None else None
        self.content.output_messages = self.result


def chat(telemetry: Telemetry, call: Call) -> Chat | None:
    """Start at ``ConversableAgent.initiate_chat(recipient, …, message)`` or its async variant."""
    if current_state().selection is not None:
        return None
    participants = (call.instance, call.argument(0, "recipient"))
    request = messages_of(call.argument(7, "message"), "user")
    return Chat(telemetry, participants, request, parent=run_context())


def group_chat(telemetry: Telemetry, call: Call) -> Chat | None:
    """Start at ``GroupChatManager.run_chat(messages, sender, config)`` or its async variant.

    Nothing starts where this call belongs to a chat with the manager that is already recorded.
    """
    state = current_state()
    manager: GroupChatManager = call.instance
    if (
        state.chat is not None
        and state.turn is None
        and any(one is manager for one in state.chat.participants)
    ):
        return None
    participants = (call.argument(1, "sender"), manager)
    request = messages_of(last_message(call.argument(0, "messages")), "user")
    return Chat(
        telemetry,
        participants,
        request,
        lambda _: messages_of(last_message(manager.groupchat.messages), "assistant"),
    )


def _sequence(telemetry: Telemetry, chat_queue: Any, parent: Context | None = None) -> Chat:
    return Chat(telemetry, (), first_request(chat_queue), parent=parent)


def chats(telemetry: Telemetry, call: Call) -> Chat | None:
    """Start at ``initiate_chats(chat_queue)`` or its async variant unless a turn runs the chats."""
    state = current_state()
    in_sequence = state.chat is not None and not state.chat.participants
    if state.turn is not None or in_sequence:
        return None
    return _sequence(telemetry, call.argument(0, "chat_queue"))


class ChatSequence:
    """A sequence whose chats start one by one, after the call that created it has returned."""

    def __init__(self, chat_queue: Any) -> None:
        self._chat_queue = chat_queue
        self._caller_context = get_current()
        self._remaining = len(chat_queue)
        self._workflow: Chat | None = None

    def chat_started(self, telemetry: Telemetry) -> Context:
        """Return the context of the next chat; the first chat starts the sequence."""
        if self._workflow is None:
            self._workflow = _sequence(telemetry, self._chat_queue, self._caller_context)
        return self._workflow.context

    def chat_ended(self, chat: Chat) -> None:
        """Observe the end of a chat: the last one, or one that failed, ends the sequence."""
        self._remaining -= 1
        workflow = self._workflow
        if workflow is None:
            return
        if chat.error is not None:
            workflow.failed(chat.error)
        elif self._remaining <= 0:
            workflow.content.output_messages = chat.result
            workflow.end()


def _with_sequence(telemetry: Telemetry, call: Call) -> Context:
    return with_state(sequence=ChatSequence(call.argument(0, "chat_queue") or ()))


sequential_run: Final = within(_with_sequence)
"""Run ``ConversableAgent.sequential_run(chat_queue)`` or its async variant with a sequence."""

"""Several chats in a row, of which each may go on with what those before it have come to."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from . import _scopes
from ._chats import Chat
from ._messages import said_first

__all__ = ["chats", "queued"]


class Sequence(Chat):
    """The chats of a queue; nobody is a member of it."""

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, asked: Any, parent: Context | None = None) -> None:
        super().__init__(telemetry, (), parent)
        if telemetry.gate.wanted:
            self.content.input_messages = said_first(asked)


def chats(telemetry: Telemetry) -> Begin:
    """``initiate_chats(chat_queue)`` and its asynchronous form; in a turn they are the turn's."""

    def begin(call: Call) -> Running | None:
        around = _scopes.chat()
        if _scopes.turn() is not None or isinstance(around, Sequence):
            return None
        return Sequence(telemetry, call.argument(0, "chat_queue"))

    return begin


class _Queue:
    """Chats that are begun one by one elsewhere, after whoever asked for them has gone on."""

    def __init__(self, asked: Any) -> None:
        self._asked = asked
        self._caller = get_current()
        self._waiting = len(asked)
        self._sequence: Sequence | None = None

    def enter(self, telemetry: Telemetry) -> Context:
        """The next chat begins; with the first one, their sequence does."""
        if self._sequence is None:
            self._sequence = Sequence(telemetry, self._asked, self._caller)
        return self._sequence.context

    def leave(self, chat: Chat) -> None:
        """A chat has ended: the last one, or one that failed, ends the sequence."""
        self._waiting -= 1
        sequence = self._sequence
        if sequence is None:
            return
        if chat.error is not None:
            sequence.failed(chat.error)
        elif self._waiting <= 0:
            answer = getattr(chat.content, "output_messages", None)
            if answer is not None:
                sequence.content.output_messages = answer
            sequence.end()


def queued(telemetry: Telemetry) -> Begin:
    """``ConversableAgent.sequential_run(chat_queue)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        queue = _Queue(call.argument(0, "chat_queue") or ())
        return Passing(_scopes.inside_queue(queue, get_current()))

    return begin

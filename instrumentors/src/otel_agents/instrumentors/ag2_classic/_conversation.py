"""The state of the conversation, kept in the context and carried into threads that AG2 starts."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation, watch, within
from otel_agents.instrumentors._core.context.carrying import Handover
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from autogen import ConversableAgent

__all__ = [
    "ConversationState",
    "current_state",
    "from_executor",
    "in_executor",
    "in_thread",
    "outside_chat",
    "run_context",
    "run_stream",
    "with_state",
]


class Chat(Protocol):
    """What this module knows of a chat: who started it, and the number of its last turn."""

    participants: tuple[Any, ...]
    turns: int


class Turn(Protocol):
    """What this module knows of a turn: its agent, and what that did."""

    agent: ConversableAgent
    sender: Any
    active: bool
    terminated: bool

    @property
    def request(self) -> Any:
        """Return the message that the turn replies to."""
        ...


class Selection(Protocol):
    """A selection of the next speaker."""

    def record_attempt(self, valid: bool) -> None:
        """Record one response of the model that selects."""
        ...


class ChatSequence(Protocol):
    """Chats that start one by one; the sequence observes the start and end of each."""

    def chat_started(self, telemetry: Telemetry) -> Context:
        """Return the context in which the next chat starts."""
        ...

    def chat_ended(self, chat: Any) -> None:
        """Observe the end of a chat."""
        ...


@dataclass(frozen=True, slots=True)
class ConversationState:
    """What a context knows of the conversation in it.

    Attributes:
        chat: The innermost chat; None outside of any.
        turn: The current turn of that chat; None between turns.
        sequence: The sequence that a chat which starts here belongs to; None for a chat on its own.
        selection: The selection of a speaker, which AG2 does by a chat of two internal agents.
        awaiting_human: Whether human input is awaited.
    """

    chat: Chat | None = None
    turn: Turn | None = None
    sequence: ChatSequence | None = None
    selection: Selection | None = None
    awaiting_human: bool = False


_STATE: Final = Slot("ag2-conversation", ConversationState)
_NO_CONVERSATION: Final = ConversationState()


def current_state(context: Context | None = None) -> ConversationState:
    """Return the state in ``context``, by default in the current context."""
    return _STATE.get(context) or _NO_CONVERSATION


def with_state(context: Context | None = None, **changes: Any) -> Context:
    """Return ``context``, by default the current one, with ``changes`` to its state."""
    return _STATE.set(replace(current_state(context), **changes), context)


def outside_chat(context: Context) -> Context:
    """Return ``context`` without a chat, for a tool: what it calls is no turn of the chat."""
    return with_state(context, chat=None, turn=None)


# ``run`` and its variants create a stream and start a thread that writes to it. AG2 does not carry
# the context into that thread, so the stream is the key by which it is carried.

_STREAMS: Final = "autogen.io.base"
_run_contexts: Final = Handover()


def _stream_created(telemetry: Telemetry, call: Call) -> None:
    if get_current():
        _run_contexts.give(call.instance)


run_stream: Final = watch(_stream_created)
"""Keep the context at ``ThreadIOStream()`` or its async variant, before the thread starts."""


def run_context() -> Context | None:
    """Return the caller's context for the first chat in a run's thread, if that has none."""
    streams: Any = sys.modules.get(_STREAMS)
    stream = streams.IOStream.get_default() if streams is not None else None
    caller = _run_contexts.take(stream)
    return None if get_current() else caller


def in_thread(telemetry: Telemetry, call: Call) -> Observation:
    """Carry the context into ``ConversableAgent._run_async_in_thread(coro)``, a thread's loop."""
    if call.args:
        call.args = (_with_context(call.args[0], get_current()), *call.args[1:])
    return Observation()


async def _with_context(coroutine: Coroutine[Any, Any, Any], context: Context) -> Any:
    attach(context)
    return await coroutine


# ``a_generate_oai_reply`` runs ``generate_oai_reply`` in an executor, to which AG2 does not carry
# the context. Its arguments are the key by which it is carried.

_reply_contexts: Final = Handover()


def from_executor(telemetry: Telemetry, call: Call) -> Observation:
    """Keep the context at ``ConversableAgent.a_generate_oai_reply(messages, …)``."""
    work = (call.instance, call.argument(0, "messages"))
    _reply_contexts.give(*work)
    return Observation(ended=partial(_reply_contexts.drop, *work))


def _kept_context(telemetry: Telemetry, call: Call) -> Context | None:
    if get_current():
        return None
    return _reply_contexts.take(call.instance, call.argument(0, "messages"))


in_executor: Final = within(_kept_context)
"""Run ``ConversableAgent.generate_oai_reply(messages, …)`` in that context if it has none."""

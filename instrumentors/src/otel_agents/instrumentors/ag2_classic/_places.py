"""Where in a conversation this is: in the context, and in threads that AG2 starts without one."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation, watch, within
from otel_agents.instrumentors._core.context.carrying import Handover
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = [
    "Place",
    "at",
    "from_executor",
    "in_executor",
    "in_thread",
    "outside",
    "place",
    "run_context",
    "run_stream",
]


class Chat(Protocol):
    """What is known of a chat here: who began it, and the number of its last turn."""

    members: tuple[Any, ...]
    turns: int


class Turn(Protocol):
    """What is known of a turn here: whose it is, and whether the agent did something in it."""

    agent: Any
    sender: Any
    active: bool
    terminated: bool

    @property
    def question(self) -> Any:
        """The message that is replied to."""
        ...


class Selection(Protocol):
    """A speaker is being selected."""

    def record_attempt(self, valid: bool) -> None:
        """A model has answered."""
        ...


class Queue(Protocol):
    """Chats that begin one by one, each of which tells of its beginning and its end."""

    def enter(self, telemetry: Telemetry) -> Context:
        """The next chat begins, in the context that is given."""
        ...

    def leave(self, chat: Any) -> None:
        """A chat has ended."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """What a context says of the conversation that goes on in it.

    Attributes:
        chat: The innermost chat; None outside of any.
        turn: The turn of that chat; None where it is nobody's.
        queue: What a chat that begins here is one of; None where it begins by itself.
        selecting: The selection of a speaker, by a chat between agents that are none; None elsewhere.
        asking: Whether a human is being asked.
    """

    chat: Chat | None = None
    turn: Turn | None = None
    queue: Queue | None = None
    selecting: Selection | None = None
    asking: bool = False


_PLACE: Final = Slot("ag2-place", Place)
_NOWHERE: Final = Place()


def place(context: Context | None = None) -> Place:
    """The place of ``context``, by default of the current one."""
    return _PLACE.get(context) or _NOWHERE


def at(context: Context | None = None, **changes: Any) -> Context:
    """``context`` (default: the current one) with ``changes`` to the fields of its place."""
    return _PLACE.set(replace(place(context), **changes), context)


def outside(context: Context) -> Context:
    """``context`` outside of any chat, as in a tool: what is run there has turns of its own."""
    return at(context, chat=None, turn=None)


# ``run`` and its like make a stream, start a thread, and have it write to that stream.

_STREAMS: Final = "autogen.io.base"
_runs: Final = Handover()


def _stream_made(telemetry: Telemetry, call: Call) -> None:
    if get_current():
        _runs.give(call.instance)


run_stream: Final = watch(_stream_made)
"""``ThreadIOStream()`` and its asynchronous form, made before the thread is started."""


def run_context() -> Context | None:
    """The caller's context, in the thread of a run that has none; for the run's first chat."""
    streams: Any = sys.modules.get(_STREAMS)
    stream = streams.IOStream.get_default() if streams is not None else None
    caller = _runs.take(stream)
    return None if get_current() else caller


def in_thread(telemetry: Telemetry, call: Call) -> Observation:
    """``ConversableAgent._run_async_in_thread(coro)``, in a loop of its own."""
    if call.args:
        call.args = (_carrying(call.args[0], get_current()), *call.args[1:])
    return Observation()


async def _carrying(coroutine: Coroutine[Any, Any, Any], context: Context) -> Any:
    attach(context)
    return await coroutine


# The asynchronous form of asking a model has the other form run in an executor.

_replies: Final = Handover()


def from_executor(telemetry: Telemetry, call: Call) -> Observation:
    """``ConversableAgent.a_generate_oai_reply(messages, …)``: waits for an executor."""
    work = (call.instance, call.argument(0, "messages"))
    _replies.give(*work)
    return Observation(ended=partial(_replies.drop, *work))


def _waiting(telemetry: Telemetry, call: Call) -> Context | None:
    return None if get_current() else _replies.take(call.instance, call.argument(0, "messages"))


in_executor: Final = within(_waiting)
"""``ConversableAgent.generate_oai_reply(messages, …)``, maybe in a thread without context."""

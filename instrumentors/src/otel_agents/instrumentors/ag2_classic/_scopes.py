"""Where in a conversation this is: the chat and the turn, in the context and across threads."""

from __future__ import annotations

import sys
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry.context import Context, create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = [
    "carried",
    "chat",
    "in_selection",
    "inside_chat",
    "inside_queue",
    "inside_turn",
    "outside",
    "queue",
    "selecting",
    "stream_made",
    "turn",
]

_CHAT: Final = create_key("otel_agents-ag2-chat")
_TURN: Final = create_key("otel_agents-ag2-turn")
_QUEUE: Final = create_key("otel_agents-ag2-queue")
_SELECTING: Final = create_key("otel_agents-ag2-selecting")
_STREAMS: Final = "autogen.io.base"
_callers: WeakKeyDictionary[Any, Context] = WeakKeyDictionary()
"""The contexts in which runs were asked for, by the stream that a run is told to write to."""


def chat() -> Any:
    """The innermost chat; None outside of any."""
    return get_value(_CHAT)


def turn() -> Any:
    """The turn of the innermost chat; None where nobody's turn is."""
    return get_value(_TURN)


def selecting() -> bool:
    """Whether a speaker is being selected, by a chat between agents that are none."""
    return bool(get_value(_SELECTING))


def queue(context: Context | None) -> Any:
    """The queue that a chat begun in ``context`` is one of; None where it is begun by itself."""
    return get_value(_QUEUE, context)


def inside_chat(chat: object, context: Context) -> Context:
    """``context`` within ``chat``, in which it is nobody's turn yet."""
    return set_value(_CHAT, chat, set_value(_TURN, None, set_value(_QUEUE, None, context)))


def inside_queue(queue: object, context: Context) -> Context:
    """``context`` in which the chats of ``queue`` are begun."""
    return set_value(_QUEUE, queue, context)


def inside_turn(turn: object, context: Context) -> Context:
    """``context`` within ``turn``."""
    return set_value(_TURN, turn, context)


def in_selection(context: Context) -> Context:
    """``context`` in which a speaker is being selected."""
    return set_value(_SELECTING, True, context)


def outside(context: Context) -> Context:
    """``context`` outside of any chat, as in a tool: what is run there has turns of its own."""
    return set_value(_CHAT, None, set_value(_TURN, None, context))


def stream_made(telemetry: Telemetry) -> Begin:
    """``ThreadIOStream()`` and its asynchronous form, made by ``run`` before it starts a thread."""

    def begin(call: Call) -> None:
        context = get_current()
        if context:
            _callers[call.instance] = context

    return begin


def carried() -> Context | None:
    """The caller's context, in a thread that was started without; None where there is one."""
    if get_current():
        return None
    streams: Any = sys.modules.get(_STREAMS)
    stream = streams.IOStream.get_default() if streams is not None else None
    return _callers.get(stream) if type(stream).__name__.endswith("ThreadIOStream") else None

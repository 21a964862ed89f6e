"""A turn of an agent: its request and its answer, and its place in a conversation."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator
from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import InvokeAgent
from otel_agents.instrumentors._core.tables import Bounded, ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._homes import home
from ._messages import answer, request
from ._runs import DELIVERY, LIMIT

__all__ = ["turn"]

_CHANNEL: Final = "ag2.network.channel"
"""The key by which AG2 leaves the channel of a network in a turn's dependencies."""
_SUBTASK: Final = re.compile(r"subtask-[0-9a-f]{8}")


def turn(telemetry: Telemetry, agent: Any, event: Any, context: Any) -> InvokeAgent:
    """One turn of an agent, from its request to its answer."""
    conversation, number = place(context)
    run = InvokeAgent(
        telemetry,
        _name(agent),
        input=request(event),
        output=lambda reply: answer(reply.response),
        parent=_inside(conversation),
    )
    if number is not None:
        run.attributes[attr.OTEL_AGENTS_TURN] = number
    return run


def _name(agent: Any) -> str | None:
    """The name that the application gave; AG2 makes one up for each sub-task."""
    name = getattr(agent, "name", None)
    if not isinstance(name, str):
        return None
    return "subtask" if _SUBTASK.fullmatch(name) else name


def _inside(conversation: str | None) -> Context:
    """The current context as part of a conversation, unless it is part of one already."""
    context = get_current()
    if conversation is None or conversation_id(context) is not None:
        return context
    return with_conversation_id(conversation, context)


_numbers: Final[ByObject[Any, Bounded[str, Iterator[int]]]] = ByObject()
"""What numbers the turns of each conversation, as long as what keeps its history lives.

Of more than `LIMIT` conversations the one that was silent for longest begins at one again.
"""


def place(context: Any) -> tuple[str | None, int | None]:
    """Id of the conversation, and the number of the turn that begins; None what is not known.

    A channel of a network is one conversation, otherwise a stream is. Turns are counted where all
    of them are seen: where the hub, or the stream's history, is in this process alone.
    """
    channel = context.dependencies.get(_CHANNEL)
    if channel is not None:
        identity, keeper = str(channel.channel_id), getattr(DELIVERY.get(), "hub", None)
    else:
        identity, keeper = str(context.stream.id), _kept_here(context.stream)
    if keeper is None:
        return identity, None
    numbers = _numbers.get(keeper)
    if numbers is None:
        numbers = _numbers.setdefault(keeper, Bounded(LIMIT, inherited=True))
    return identity, next(numbers.setdefault(identity, itertools.count(1)))


def _kept_here(stream: Any) -> Any:
    """What keeps the history of a stream in this process alone; None where something else does."""
    memory = getattr(sys.modules.get(f"{home()}.history"), "MemoryStorage", None)
    storage = getattr(getattr(stream, "history", None), "storage", None)
    return storage if memory is not None and type(storage) is memory else None

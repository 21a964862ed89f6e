"""A turn of an agent: its request, its response, and its number in the conversation."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import InvokeAgent
from otel_agents.instrumentors._core.tables import Bounded, ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._messages import request_messages, response_messages
from ._network_runs import CURRENT_RUN, LIMIT
from ._package import package_name

if TYPE_CHECKING:
    from ag2 import Agent
    from ag2.context import ConversationContext
    from ag2.events import BaseEvent

__all__ = ["turn"]

_CHANNEL_KEY: Final = "ag2.network.channel"
"""The key of a network's channel in the dependencies of a turn."""
_SUBTASK: Final = re.compile(r"subtask-[0-9a-f]{8}")


def turn(
    telemetry: Telemetry, agent: Agent, event: BaseEvent, context: ConversationContext
) -> InvokeAgent:
    """Start one turn of an agent, which lasts from its request to its response."""
    conversation, number = numbered_turn(context)
    run = InvokeAgent(
        telemetry,
        _name(agent),
        input=request_messages(event),
        output=lambda reply: response_messages(reply.response),
        parent=_context(conversation),
    )
    if number is not None:
        run.attributes[attr.OTEL_AGENTS_TURN] = number
    return run


def _name(agent: Agent) -> str | None:
    """Return the agent's name; for a sub-task, whose name AG2 generates, a constant one."""
    name: Any = getattr(agent, "name", None)
    if not isinstance(name, str):
        return None
    return "subtask" if _SUBTASK.fullmatch(name) else name


def _context(conversation: str | None) -> Context:
    """Return the current context, with this conversation unless it has one already."""
    context = get_current()
    if conversation is None or conversation_id(context) is not None:
        return context
    return with_conversation_id(conversation, context)


_turn_numbers: Final[ByObject[Any, Bounded[str, Iterator[int]]]] = ByObject()
"""The turn counters of each conversation, as long as the owner of its history lives.

Beyond `LIMIT` conversations, the one that was idle longest starts at 1 again.
"""


def numbered_turn(context: ConversationContext) -> tuple[str | None, int | None]:
    """Return the id of the conversation and the number of the turn that starts; None if unknown.

    A channel of a network is one conversation; without a network a stream is. Turns are numbered
    only where all of them run in this process: where the hub or the stream's history is here alone.
    """
    channel = context.dependencies.get(_CHANNEL_KEY)
    if channel is not None:
        conversation, owner = str(channel.channel_id), getattr(CURRENT_RUN.get(), "hub", None)
    else:
        conversation, owner = str(context.stream.id), _local_storage(context.stream)
    if owner is None:
        return conversation, None
    numbers = _turn_numbers.get(owner)
    if numbers is None:
        numbers = _turn_numbers.setdefault(owner, Bounded(LIMIT, inherited=True))
    return conversation, next(numbers.setdefault(conversation, itertools.count(1)))


def _local_storage(stream: Any) -> Any:
    """Return the storage of a stream's history if it is in memory, None for any other storage."""
    memory = getattr(sys.modules.get(f"{package_name()}.history"), "MemoryStorage", None)
    storage = getattr(getattr(stream, "history", None), "storage", None)
    return storage if memory is not None and type(storage) is memory else None

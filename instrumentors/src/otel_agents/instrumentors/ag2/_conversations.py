"""The conversation that a turn belongs to, and its number there."""

from __future__ import annotations

import sys
import threading
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry.context import Context, create_key, get_value, set_value

__all__ = ["delivered_here", "place", "with_delivery"]

_CHANNEL: Final = "ag2.network.channel"
"""The key by which AG2 leaves the channel of a network in a turn's dependencies."""
_HISTORY: Final = "ag2.history"
_DELIVERY: Final = create_key("otel_agents-ag2-delivery")


class _Counted:
    """The number of turns of each conversation so far, as long as what keeps its history lives."""

    def __init__(self) -> None:
        self._numbers: WeakKeyDictionary[Any, dict[str, int]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def next(self, keeper: Any, conversation: str) -> int:
        with self._lock:
            numbers = self._numbers.setdefault(keeper, {})
            numbers[conversation] = number = numbers.get(conversation, 0) + 1
        return number


_counted: Final = _Counted()


def with_delivery(delivery: object, context: Context) -> Context:
    """``context`` for what a message of a network sets off in this process."""
    return set_value(_DELIVERY, delivery, context)


def delivered_here(context: Context | None = None) -> Any:
    """What `with_delivery` was given; None elsewhere."""
    return get_value(_DELIVERY, context)


def place(context: Any) -> tuple[str | None, int | None]:
    """Id of the conversation, and the number of the turn that begins; None what is not known.

    A channel of a network is one conversation, otherwise a stream is. Turns are counted where all
    of them are seen: where the hub, or the stream's history, is in this process alone.
    """
    dependencies: dict[Any, Any] = context.dependencies
    channel = dependencies.get(_CHANNEL)
    if channel is not None:
        identity, keeper = str(channel.channel_id), getattr(delivered_here(), "hub", None)
    else:
        stream = context.stream
        identity, keeper = str(stream.id), _kept_here(stream)
    return identity, _counted.next(keeper, identity) if keeper is not None else None


def _kept_here(stream: Any) -> Any:
    """What keeps the history of a stream in this process alone; None where something else does."""
    memory = getattr(sys.modules.get(_HISTORY), "MemoryStorage", None)
    storage = getattr(getattr(stream, "history", None), "storage", None)
    return storage if memory is not None and type(storage) is memory else None

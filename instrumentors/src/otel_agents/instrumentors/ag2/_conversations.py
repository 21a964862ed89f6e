"""The conversation that a turn belongs to, and its number there."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from typing import Any, Final

from opentelemetry.context import Context, create_key, get_value, set_value

__all__ = ["delivered_here", "place", "with_delivery"]

_CHANNEL: Final = "ag2.network.channel"
"""The key by which AG2 leaves the channel of a network in a turn's dependencies."""
_HISTORY: Final = "ag2.history"
_DELIVERY: Final = create_key("otel_agents-ag2-delivery")
_COUNTED_LIMIT: Final = 4096


class _Counted:
    """The number of turns of each conversation so far; the least recent ones are forgotten."""

    def __init__(self) -> None:
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def next(self, conversation: str) -> int:
        with self._lock:
            number = self._numbers.pop(conversation, 0) + 1
            self._numbers[conversation] = number
            if len(self._numbers) > _COUNTED_LIMIT:
                self._numbers.popitem(last=False)
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
        identity, seen = str(channel.channel_id), delivered_here() is not None
    else:
        stream = context.stream
        identity, seen = str(stream.id), _is_kept_here(stream)
    return identity, _counted.next(identity) if seen else None


def _is_kept_here(stream: Any) -> bool:
    memory = getattr(sys.modules.get(_HISTORY), "MemoryStorage", None)
    storage = getattr(getattr(stream, "history", None), "storage", None)
    return memory is not None and type(storage) is memory

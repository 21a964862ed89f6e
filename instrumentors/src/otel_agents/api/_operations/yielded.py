"""What a decorated generator yields: the result of its operation, once it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from otel_agents.instrumentors._core.operations import Operation

__all__ = ["Yielded", "Yielding"]

_MOST_ITEMS = 10_000


class Yielded:
    """The items of a generator; they are kept up to ``limit`` characters of text.

    Args:
        limit: The maximum, which is that of a content attribute.
    """

    __slots__ = ("_items", "_room")

    def __init__(self, limit: int) -> None:
        self._items: list[Any] = []
        self._room = limit

    def add(self, item: Any) -> None:
        """Keep ``item`` while there is room."""
        if self._room > 0 and len(self._items) < _MOST_ITEMS:
            self._items.append(item)
            self._room -= len(item) if isinstance(item, str) else 1

    def whole(self) -> Any:
        """Return texts as one text, other items as a list; None if there are none."""
        items = self._items
        if items and all(isinstance(item, str) for item in items):
            return "".join(cast("list[str]", items))
        return items or None


class Yielding(Operation if TYPE_CHECKING else object):
    """An operation that records what a generator yielded as its result; it precedes its class."""

    __slots__ = ()
    _yielded: Yielded

    def chunk(self, item: Any) -> object:
        """Keep what is yielded, where content is recorded."""
        if self.content.enabled:
            yielded = getattr(self, "_yielded", None)
            if yielded is None:
                yielded = self._yielded = Yielded(self.telemetry.settings.content_max_bytes)
            yielded.add(item)
        return None

    def conclude(self) -> None:
        """Record all that was yielded, however the generator ended."""
        yielded = getattr(self, "_yielded", None)
        if yielded is not None:
            self.respond(yielded.whole())

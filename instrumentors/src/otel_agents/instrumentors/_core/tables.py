"""Mappings of the whole process: bounded, safe in destructors, empty in a forked child."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from otel_agents.instrumentors._core.forking import renew_after_fork

__all__ = ["Bounded"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Bounded(Generic[_Key, _Value]):
    """A mapping of the ``limit`` newest entries, which it holds.

    What it holds is the process's own: a forked child begins with an empty one.

    Args:
        limit: How many entries it may have.
        evicted: Called with the value of an entry that made room, outside of the lock.
    """

    def __init__(self, limit: int, evicted: Callable[[_Value], None] | None = None) -> None:
        self._limit = limit
        self._evicted = evicted
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._entries: OrderedDict[_Key, _Value] = OrderedDict()
        self._lock = threading.RLock()  # a destructor may interrupt its own thread here

    def put(self, key: _Key, value: _Value) -> None:
        """Add an entry as the newest; the oldest makes room."""
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            oldest = [
                self._entries.popitem(last=False)[1]
                for _ in range(len(self._entries) - self._limit)
            ]
        for entry in oldest if self._evicted is not None else ():
            self._evicted(entry)  # pyright: ignore[reportOptionalCall]  asked above

    def get(self, key: _Key) -> _Value | None:
        """The value of ``key``, None where there is none."""
        return self._entries.get(key)

    def pop(self, key: _Key) -> _Value | None:
        """Remove an entry; its value, None where there was none."""
        with self._lock:
            return self._entries.pop(key, None)

    def values(self) -> list[_Value]:
        """The values as of now, the oldest first."""
        with self._lock:
            return list(self._entries.values())

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

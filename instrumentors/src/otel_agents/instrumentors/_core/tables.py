"""Tables of the whole process: each has a bound, is safe in destructors, and knows of forks."""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from otel_agents.instrumentors._core import system
from otel_agents.instrumentors._core.forking import Lock, renew_after_fork

__all__ = [
    "A_DAY",
    "EXPIRING",
    "OTHERS",
    "Bounded",
    "ByObject",
    "Counts",
    "ExpiringTables",
    "evict_expired",
]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

A_DAY: Final = 86_400.0
"""How long to wait for what has no time of its own: seconds after which nobody comes any more."""

OTHERS: Final = "others"
"""What is counted under no name of its own."""


class Bounded(Generic[_Key, _Value]):
    """A mapping of the ``limit`` newest entries, which it holds for as long as they may wait.

    What it holds is the process's own: a forked child begins with an empty one.

    Args:
        limit: How many entries it may have.
        evicted: Called with the value of an entry that made room, or has waited too long, outside of
            the lock.
        inherited: Whether a forked child begins with the entries of its parent.
        seconds: How long an entry may wait for whoever takes it; `evict_expired` looks at it.
    """

    def __init__(
        self,
        limit: int,
        evicted: Callable[[_Value], None] | None = None,
        *,
        inherited: bool = False,
        seconds: float | None = None,
    ) -> None:
        self._limit = limit
        self._seconds = seconds
        self._evicted = evicted
        self._lock = Lock()
        self._reset()
        if not inherited:
            renew_after_fork(self._reset)

        if seconds is not None:
            EXPIRING.tables[self] = None

    def _reset(self) -> None:
        self._entries: OrderedDict[_Key, _Value] = OrderedDict()
        self._added: dict[_Key, float] = {}

    def put(self, key: _Key, value: _Value) -> None:
        """Add an entry as the newest; the oldest makes room."""
        with self._lock:
            self._entries[key] = value
            oldest = self._move_to_end(key)
        self._notify_evicted(oldest)

    def setdefault(self, key: _Key, value: _Value) -> _Value:
        """The value of ``key``, ``value`` from now on where there was none; its entry is the newest."""
        with self._lock:
            known = self._entries.setdefault(key, value)
            oldest = self._move_to_end(key)
        self._notify_evicted(oldest)
        return known

    def _move_to_end(self, key: _Key) -> list[_Value]:
        self._entries.move_to_end(key)
        if self._seconds is not None:
            self._added[key] = now = time.monotonic()
            EXPIRING.due = min(EXPIRING.due, now + self._seconds)
        return [self._pop_oldest() for _ in range(len(self._entries) - self._limit)]

    def _pop_oldest(self) -> _Value:
        key, value = self._entries.popitem(last=False)
        self._added.pop(key, None)
        return value

    def expire(self, now: float) -> float:
        """Evict what has waited too long; the time at which there is more, infinite if there is none."""
        old: list[_Value] = []
        with self._lock:
            while self._entries and self._next_deadline() <= now:
                old.append(self._pop_oldest())
            due = self._next_deadline() if self._entries else math.inf
        self._notify_evicted(old)
        return due

    def _next_deadline(self) -> float:
        """When the oldest entry has waited long enough."""
        return self._added[next(iter(self._entries))] + (self._seconds or 0.0)

    def _notify_evicted(self, oldest: list[_Value]) -> None:
        for entry in oldest if self._evicted is not None else ():
            self._evicted(entry)  # pyright: ignore[reportOptionalCall]  asked above

    def get(self, key: _Key) -> _Value | None:
        """The value of ``key``, None where there is none."""
        return self._entries.get(key)

    def pop(self, key: _Key) -> _Value | None:
        """Remove an entry; its value, None where there was none."""
        with self._lock:
            self._added.pop(key, None)
            return self._entries.pop(key, None)

    def values(self) -> list[_Value]:
        """The values as of now, the oldest first."""
        with self._lock:
            return list(self._entries.values())

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)


class ByObject(WeakKeyDictionary[_Key, _Value]):
    """What is known of objects of the application's, as long as they live.

    A value must not refer to its key, which it would keep alive. A forked child begins with all of
    it: it has the objects too.
    """


class ExpiringTables:
    """The tables whose entries may wait for a time only.

    Attributes:
        tables: The tables, as long as somebody has them.
        due: When the first entry has waited long enough, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.tables: ByObject[Bounded[Any, Any], None] = ByObject()
        self.due = math.inf


EXPIRING: Final = ExpiringTables()
"""Looked at when an operation starts: there is no timer."""


def evict_expired() -> None:
    """Evict what has waited too long, in every table; called once something is due."""
    now, EXPIRING.due = time.monotonic(), math.inf
    for table in list(EXPIRING.tables):
        due = table.expire(now)
        EXPIRING.due = min(EXPIRING.due, due)


class Counts(Counter[str]):
    """Numbers by name, of at most ``limit`` names: what comes after is counted as `OTHERS`.

    A forked child begins with none: they are its parent's to tell.
    """

    def __init__(self, limit: int = 256) -> None:
        super().__init__()
        self._limit = limit
        self._reset()
        renew_after_fork(self._reset)

    def _reset(self) -> None:
        self.clear()
        self._lock = system.RLock()

    def add(self, name: str, number: int = 1) -> bool:
        """Count; whether it is the first that is counted under this name, or under `OTHERS`."""
        # No function of Python's is called for it: the stack may be full.
        with self._lock:
            if name not in self and len(self) >= self._limit:
                name = OTHERS
            known = self.get(name, 0)
            self[name] = known + number
        return not known

"""Tables of the whole process: bounded, safe in destructors, and correct after a fork."""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar
from weakref import ReferenceType, WeakKeyDictionary

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
    "InUse",
    "Recent",
    "evict_expired",
]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

A_DAY: Final = 86_400.0
"""Seconds that an entry waits if nothing says how long: a day."""

_ATTEMPTS: Final = 8

OTHERS: Final = "others"
"""The name that counts whatever is above the limit of names."""


class Bounded(Generic[_Key, _Value]):
    """A mapping of the ``limit`` newest entries.

    A forked child starts with an empty one.

    Example:
        >>> from otel_agents.instrumentors.hosting import Bounded
        >>> ids = Bounded(2, print)
        >>> for number, name in enumerate(["first", "second", "third"]):
        ...     ids.put(number, name)
        first

    Args:
        limit: The maximum number of entries.
        evicted: Called with the value of an entry that made room or has expired, outside of the
            lock.
        inherited: Whether a forked child starts with the entries of its parent.
        seconds: How long an entry may wait; `evict_expired` checks it.
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
        """Add an entry as the newest; evict the oldest above the limit."""
        with self._lock:
            self._entries[key] = value
            oldest = self._move_to_end(key)
        self._notify_evicted(oldest)

    def setdefault(self, key: _Key, value: _Value) -> _Value:
        """Return the value of ``key``, ``value`` if it had none; make its entry the newest."""
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
        """Evict expired entries; return when the next one expires, infinity if none does."""
        old: list[_Value] = []
        with self._lock:
            while self._entries and self._next_deadline() <= now:
                old.append(self._pop_oldest())
            due = self._next_deadline() if self._entries else math.inf
        self._notify_evicted(old)
        return due

    def _next_deadline(self) -> float:
        """Return when the oldest entry expires."""
        return self._added[next(iter(self._entries))] + (self._seconds or 0.0)

    def _notify_evicted(self, oldest: list[_Value]) -> None:
        for entry in oldest if self._evicted is not None else ():
            self._evicted(entry)  # pyright: ignore[reportOptionalCall]  checked above

    def get(self, key: _Key) -> _Value | None:
        """Return the value of ``key``, or None."""
        return self._entries.get(key)

    def pop(self, key: _Key) -> _Value | None:
        """Remove an entry; return its value, or None."""
        with self._lock:
            self._added.pop(key, None)
            return self._entries.pop(key, None)

    def values(self) -> list[_Value]:
        """Return the current values, the oldest first."""
        with self._lock:
            return list(self._entries.values())

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)


class Recent(dict[_Key, _Value]):
    """The ``limit`` newest entries, as `Bounded`, for entries of which most are removed soon.

    It has no lock and no clock, so that adding, finding and removing an entry costs what it does in
    a dict: each is one operation of the dict. Add entries by `put`. A forked child starts with an
    empty one.

    Example:
        >>> from otel_agents.instrumentors._core.tables import Recent
        >>> recent = Recent(2, print)
        >>> for number, name in enumerate(["first", "second", "third"]):
        ...     recent.put(number, name)
        first

    Args:
        limit: The maximum number of entries.
        evicted: Called with the value of an entry that made room.
    """

    def __init__(self, limit: int, evicted: Callable[[_Value], object]) -> None:
        super().__init__()
        self._limit = limit
        self._evicted = evicted
        renew_after_fork(self._reset)

    def _reset(self) -> None:
        self.clear()

    def put(self, key: _Key, value: _Value) -> None:
        """Add an entry, or change its value; evict the oldest above the limit."""
        self[key] = value
        if len(self) > self._limit:
            self._evict()

    def _evict(self) -> None:
        for _ in range(_ATTEMPTS):
            try:
                value = self.pop(next(iter(self)))
            except (RuntimeError, KeyError):  # another thread has added or removed one in between
                continue
            except StopIteration:
                return
            self._evicted(value)
            return


class InUse(dict[ReferenceType[_Value], None]):
    """Weak references to objects in use, the oldest first: as many as there are of them.

    Each reference calls `forget` when its object dies. Unlike `weakref.WeakSet` it has no Python
    code for adding and removing: each is one operation of the dict. A forked child starts empty.
    """

    def __init__(self) -> None:
        super().__init__()
        renew_after_fork(self._reset)

    def _reset(self) -> None:
        self.clear()

    def forget(self, reference: ReferenceType[_Value]) -> None:
        """Remove the reference of an object that has died."""
        self.pop(reference, None)


class ByObject(WeakKeyDictionary[_Key, _Value]):
    """Facts about application objects, kept as long as the objects live.

    A value must not refer to its key, which would keep it alive. A forked child starts with all of
    it, since it has the objects too.
    """


class ExpiringTables:
    """The tables whose entries expire.

    Attributes:
        tables: The tables that are still in use.
        due: When the next entry expires, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.tables: ByObject[Bounded[Any, Any], None] = ByObject()
        self.due = math.inf


EXPIRING: Final = ExpiringTables()
"""Checked when an operation starts: there is no timer."""


def evict_expired() -> None:
    """Evict expired entries from every table; called once something is due."""
    now, EXPIRING.due = time.monotonic(), math.inf
    for table in list(EXPIRING.tables):
        due = table.expire(now)
        EXPIRING.due = min(EXPIRING.due, due)


class Counts(Counter[str]):
    """Numbers by name, of at most ``limit`` names; further names are counted as `OTHERS`.

    A forked child starts at zero: the counts are its parent's to report.
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
        """Count; return whether it is the first of this name, or of `OTHERS`."""
        # It calls no Python function: the stack may be full.
        with self._lock:
            if name not in self and len(self) >= self._limit:
                name = OTHERS
            known = self.get(name, 0)
            self[name] = known + number
        return not known

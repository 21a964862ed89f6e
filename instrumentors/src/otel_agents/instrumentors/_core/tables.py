"""Tables of the whole process: each has a bound, is safe in destructors, and knows of forks."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from otel_agents.instrumentors._core.forking import Lock, renew_after_fork

__all__ = ["OTHERS", "Bounded", "ByObject", "Counts"]

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

OTHERS: Final = "others"
"""What is counted under no name of its own."""


class Bounded(Generic[_Key, _Value]):
    """A mapping of the ``limit`` newest entries, which it holds.

    What it holds is the process's own: a forked child begins with an empty one.

    Args:
        limit: How many entries it may have.
        evicted: Called with the value of an entry that made room, outside of the lock.
        inherited: Whether a forked child begins with the entries of its parent.
    """

    def __init__(
        self,
        limit: int,
        evicted: Callable[[_Value], None] | None = None,
        *,
        inherited: bool = False,
    ) -> None:
        self._limit = limit
        self._evicted = evicted
        self._lock = Lock()
        self._empty()
        if not inherited:
            renew_after_fork(self._empty)

    def _empty(self) -> None:
        self._entries: OrderedDict[_Key, _Value] = OrderedDict()

    def put(self, key: _Key, value: _Value) -> None:
        """Add an entry as the newest; the oldest makes room."""
        with self._lock:
            self._entries[key] = value
            oldest = self._newest(key)
        self._tell(oldest)

    def setdefault(self, key: _Key, value: _Value) -> _Value:
        """The value of ``key``, ``value`` from now on where there was none; its entry is the newest."""
        with self._lock:
            known = self._entries.setdefault(key, value)
            oldest = self._newest(key)
        self._tell(oldest)
        return known

    def _newest(self, key: _Key) -> list[_Value]:
        self._entries.move_to_end(key)
        return [
            self._entries.popitem(last=False)[1] for _ in range(len(self._entries) - self._limit)
        ]

    def _tell(self, oldest: list[_Value]) -> None:
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


class ByObject(WeakKeyDictionary[_Key, _Value]):
    """What is known of objects of the application's, as long as they live.

    A value must not refer to its key, which it would keep alive. A forked child begins with all of
    it: it has the objects too.
    """


class Counts(Counter[str]):
    """Numbers by name, of at most ``limit`` names: what comes after is counted as `OTHERS`.

    A forked child begins with none: they are its parent's to tell.
    """

    def __init__(self, limit: int = 256) -> None:
        super().__init__()
        self._limit = limit
        self._begin()
        renew_after_fork(self._begin)

    def _begin(self) -> None:
        self.clear()
        self._lock = threading.RLock()

    def add(self, name: str, number: int = 1) -> bool:
        """Count; whether it is the first that is counted under this name, or under `OTHERS`."""
        # No function of Python's is called for it: the stack may be full.
        with self._lock:
            if name not in self and len(self) >= self._limit:
                name = OTHERS
            known = self.get(name, 0)
            self[name] = known + number
        return not known

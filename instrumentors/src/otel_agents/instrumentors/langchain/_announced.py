"""What the run that starts next is: a callback gets its name, and not the object that runs.

The methods that run a graph, or stream through a composite, announce it; the run of that name that
starts next in the context is the one. In between others may start, whose output it streams.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final, Generic, NamedTuple, TypeVar

__all__ = ["Announcements"]

_Subject = TypeVar("_Subject")
_LIMIT: Final = 8
"""How many wait at most: one whose call was refused before its run started is never taken."""


class _Announced(NamedTuple, Generic[_Subject]):
    names: tuple[str | None, ...]
    subject: _Subject


class Announcements(Generic[_Subject]):
    """What was announced in a context, and has not started yet.

    Args:
        name: The name of the context variable, for debugging.
    """

    def __init__(self, name: str) -> None:
        self._waiting: ContextVar[tuple[_Announced[_Subject], ...]] = ContextVar(name, default=())

    def announce(self, subject: _Subject, *names: str | None) -> None:
        """Announce ``subject``, whose run will have one of ``names``."""
        waiting = self._waiting.get()
        self._waiting.set((*waiting[1 - _LIMIT :], _Announced(names, subject)))

    def take(self, name: str | None) -> _Subject | None:
        """Return what was announced last by ``name``, once."""
        waiting = self._waiting.get()
        if not waiting:
            return None
        found = next((one for one in reversed(waiting) if name in one.names), None)
        if found is None:
            return None
        self._waiting.set(tuple(one for one in waiting if one is not found))
        return found.subject

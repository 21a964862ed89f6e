"""Names of runs: which are the application's, and of which object a run is by its name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from otel_agents.instrumentors._core.tables import Bounded

__all__ = ["Announcements", "given_name"]

_Subject = TypeVar("_Subject")
_LIMIT: Final = 8
"""How many wait at most: one whose call was refused before its run started is never taken."""

_UNNAMED: Final = "LangGraph"
"""The name of a graph that was given none."""

_given: Final[Bounded[str, bool]] = Bounded(1024, inherited=True)
"""Whether a name that was looked up is the application's."""


def given_name(name: str | None) -> str | None:
    """Return ``name`` if the application gave it; None for the name of a class of runnables.

    The names of classes have their parts added, as in ``RunnableParallel<a,b>``.
    """
    if not name or name == _UNNAMED:
        return None
    kind = name.partition("<")[0]
    given = _given.get(kind)
    if given is None:
        given = kind not in _class_names()
        _given.put(kind, given)
    return name if given else None


def _class_names() -> set[str]:
    base = getattr(sys.modules.get("langchain_core.runnables.base"), "Runnable", None)
    return {kind.__name__ for kind in _subclasses(base)} if base is not None else set()


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from _subclasses(subclass)


@dataclass(frozen=True)
class _Announced(Generic[_Subject]):
    names: tuple[str | None, ...]
    subject: _Subject


class Announcements(Generic[_Subject]):
    """What the runs that start next are: a callback gets a name, and not the object that runs.

    The methods that run a graph, or stream through a composite, announce it; the run of that name
    that starts next in the context is the one. In between others may start, whose output it streams.

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

"""Which names are the application's, and which those of LangChain's or its own classes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from otel_agents.instrumentors._core.tables import Bounded

__all__ = ["given_name"]

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

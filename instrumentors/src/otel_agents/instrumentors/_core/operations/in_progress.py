"""Operations in progress: known so that a signal can end them, and held by nobody here."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final, Protocol
from weakref import WeakSet, WeakValueDictionary

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.forking import renew_after_fork

__all__ = ["DISCARDED", "IN_PROGRESS", "InProgress", "interrupt", "next_number", "operations"]


class InProgress(Protocol):
    """An operation in progress."""

    span: Any

    def interrupt(self) -> None:
        """The process is told to end: end with what is known by now."""
        ...


IN_PROGRESS: Final[WeakValueDictionary[int, Any]] = WeakValueDictionary()
"""By place; what the application dropped is gone from here too."""

DISCARDED: Final[WeakSet[Any]] = WeakSet()
"""Spans of operations that were discarded: open for ever, and nobody's to end."""

next_number: Final[Callable[[], int]] = itertools.count().__next__


def operations() -> list[InProgress]:
    """What is in progress, in the order of its start."""
    found = (reference() for reference in IN_PROGRESS.valuerefs())
    return [operation for operation in found if operation is not None]


def interrupt(operation: InProgress) -> None:
    """End ``operation`` as interrupted."""
    try:
        operation.interrupt()
    except Exception:
        errors.internal_error("interrupting an operation")


renew_after_fork(IN_PROGRESS.clear)  # what is in progress is the parent's to end
renew_after_fork(DISCARDED.clear)

"""Operations in progress, weakly referenced, so that a signal handler can end them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Final, Protocol
from weakref import WeakSet, WeakValueDictionary

from opentelemetry.trace import Span

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.forking import renew_after_fork

__all__ = ["DISCARDED", "IN_PROGRESS", "InProgress", "interrupt", "next_number", "operations"]


class InProgress(Protocol):
    """An operation in progress."""

    span: Any

    def interrupt(self) -> None:
        """End with what is known, because the process is terminating."""
        ...


IN_PROGRESS: Final[WeakValueDictionary[int, InProgress]] = WeakValueDictionary()
"""By sequence number; operations that the application dropped disappear by themselves."""

DISCARDED: Final[WeakSet[Span]] = WeakSet()
"""Spans of discarded operations: they stay open, and nothing may end them."""

next_number: Final[Callable[[], int]] = itertools.count().__next__


def operations() -> list[InProgress]:
    """Return the operations in progress, in the order of their start."""
    found = (reference() for reference in IN_PROGRESS.valuerefs())
    return [operation for operation in found if operation is not None]


def interrupt(operation: InProgress) -> None:
    """End ``operation`` as interrupted."""
    try:
        operation.interrupt()
    except Exception:
        errors.internal_error("interrupting an operation")


renew_after_fork(IN_PROGRESS.clear)  # the parent process ends its own operations

renew_after_fork(DISCARDED.clear)

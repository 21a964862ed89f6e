"""Operations in progress, weakly referenced, so that a signal handler can end them."""

from __future__ import annotations

from typing import Any, Final, Protocol, TypeAlias
from weakref import ReferenceType, WeakSet

from opentelemetry.trace import Span

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.forking import renew_after_fork
from otel_agents.instrumentors._core.tables import InUse

__all__ = [
    "DISCARDED",
    "IN_PROGRESS",
    "Entry",
    "InProgress",
    "interrupt",
    "operations",
]


class InProgress(Protocol):
    """An operation in progress."""

    span: Any

    def interrupt(self) -> None:
        """End with what is known, because the process is terminating."""
        ...


Entry: TypeAlias = "ReferenceType[InProgress]"

IN_PROGRESS: Final[InUse[InProgress]] = InUse()
"""In the order of their start; operations that the application dropped disappear by themselves."""

DISCARDED: Final[WeakSet[Span]] = WeakSet()
"""Spans of discarded operations: they stay open, and nothing may end them."""


def operations() -> list[InProgress]:
    """Return the operations in progress, in the order of their start."""
    found = (entry() for entry in list(IN_PROGRESS))
    return [operation for operation in found if operation is not None]


def interrupt(operation: InProgress) -> None:
    """End ``operation`` as interrupted."""
    try:
        operation.interrupt()
    except Exception:
        errors.internal_error("interrupting an operation")


renew_after_fork(DISCARDED.clear)

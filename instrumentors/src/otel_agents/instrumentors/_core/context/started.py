"""Operations started by a start function that still runs, so that none leaks if it raises."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, Protocol, TypeVar

__all__ = ["STARTED", "StartedOperation", "StartedOperations", "innermost", "released"]

_Operation = TypeVar("_Operation", bound="StartedOperation")


class StartedOperation(Protocol):
    """What a start function starts."""

    when_ended: list[Callable[[], object]]

    @property
    def ended(self) -> bool:
        """Whether it has ended or was discarded."""
        ...

    def end(self) -> None:
        """End."""
        ...


class StartedOperations(list[StartedOperation]):
    """The operations that a start function has started, the outermost first."""

    __slots__ = ("over",)

    over: bool
    """Whether the start function has returned; a task that inherits this adds nothing then."""


STARTED: Final[ContextVar[StartedOperations | None]] = ContextVar(
    "otel_agents_started", default=None
)
"""Those of the start function that runs. Not thread-local, since greenlets share a thread."""


def released(operation: _Operation) -> _Operation:
    """Return ``operation``, released from the start function: its owner ends it."""
    started = STARTED.get()
    if started is not None and operation in started:
        started.remove(operation)
    return operation


def innermost(started: StartedOperations) -> Any:
    """Return the innermost of ``started`` that has not ended; it ends those around it.

    It goes on with what is known: it ends with its call, and reports its error.
    """
    left = [operation for operation in started if not operation.ended]
    if not left:
        return None
    *around, last = left
    last.when_ended.extend(operation.end for operation in reversed(around))
    return last

"""What was begun by the start that runs here: none of it is lost where that start fails."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Final

__all__ = ["STARTED", "StartedOperations", "innermost", "released"]


class StartedOperations(list[Any]):
    """The operations that a start has begun, the outermost first."""

    over = False
    """What was started meanwhile, as a task, has this too, and begins nothing for it any more."""


STARTED: Final[ContextVar[StartedOperations | None]] = ContextVar(
    "otel_agents_beginning", default=None
)
"""Of the start that runs; none of a thread's own, as greenlets share one."""


def released(operation: Any) -> Any:
    """``operation``, which is no start's: who has it ends it, whatever becomes of the start."""
    started = STARTED.get()
    if started is not None and operation in started:
        started.remove(operation)
    return operation


def innermost(started: StartedOperations) -> Any:
    """The innermost of ``started`` that has not ended; with it those around it end.

    It goes on with what is known by now: it ends with its call, and tells of its error.
    """
    left = [operation for operation in started if not operation.ended]
    if not left:
        return None
    *around, last = left
    last.when_ended.extend(operation.end for operation in reversed(around))
    return last

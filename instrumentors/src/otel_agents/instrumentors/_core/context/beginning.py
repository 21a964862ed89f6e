"""What was begun by the start that runs in this thread: none of it is lost where that start fails."""

from __future__ import annotations

import threading
from typing import Any, Final

__all__ = ["BEGINNING", "disowned", "innermost"]


class _Beginning(threading.local):
    """What was begun, the outermost first; None where no start runs."""

    begun: list[Any] | None = None


BEGINNING: Final = _Beginning()


def disowned(operation: Any) -> Any:
    """``operation``, which is no start's: who has it ends it, whatever becomes of the start."""
    if BEGINNING.begun is not None and operation in BEGINNING.begun:
        BEGINNING.begun.remove(operation)
    return operation


def innermost() -> Any:
    """The innermost operation that was begun and has not ended; with it those around it end.

    It goes on with what is known by now: it ends with its call, and tells of its error.
    """
    begun = [operation for operation in BEGINNING.begun or () if not operation.ended]
    if not begun:
        return None
    *around, last = begun
    last.when_ended.extend(operation.end for operation in reversed(around))
    return last

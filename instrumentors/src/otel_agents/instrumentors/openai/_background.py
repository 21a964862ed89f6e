"""Responses that are generated in the background: their operations stay open until fetched here.

A response created with ``background=True`` has no tokens yet. If this process fetches it once it
is complete, its tokens are counted on the operation that asked for it; a response that another
process fetches, or none, ends without tokens. What is held is bounded in number and age.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import OrderedDict
from typing import Any, Final, Protocol

from otel_agents.instrumentors._core.forking import renew_after_fork
from otel_agents.instrumentors._dialects.fields import text

__all__ = ["PENDING", "fetched", "hold"]

PENDING: Final = ("queued", "in_progress")
"""The states of a response that is not complete."""

_LIMIT: Final = 256
_SECONDS: Final = 900.0


class Held(Protocol):
    """An operation that waits for its response."""

    pending: bool

    def observe(self, value: Any) -> None:
        """The response is complete."""
        ...

    def end(self) -> None:
        """End."""
        ...


_held: OrderedDict[str, tuple[float, Held]] = OrderedDict()
_lock = threading.RLock()


def hold(response_id: str, operation: Held) -> None:
    """Keep ``operation`` open until its response is fetched; the oldest make room."""
    now = time.monotonic()
    with _lock:
        _held[response_id] = (now, operation)
        overdue = [key for key, (since, _) in _held.items() if now - since > _SECONDS]
        while len(_held) - len(overdue) > _LIMIT:
            overdue.append(next(key for key in _held if key not in overdue))
        released = [_held.pop(key)[1] for key in overdue]
    for late in released:
        _release(late)


def fetched(response_id: str | None, response: Any) -> None:
    """A response was read; if it is complete and was asked for here, its operation ends."""
    if text(response, "status") in PENDING:
        return
    with _lock:
        entry = _held.pop(response_id, None) if response_id is not None else None
    if entry is not None:
        entry[1].observe(response)
        _release(entry[1])


def _release(operation: Held) -> None:
    operation.pending = False
    operation.end()


def _release_all() -> None:
    while _held:
        _release(_held.popitem(last=False)[1][1])


def _renew() -> None:
    global _lock  # another thread may have held it
    _lock = threading.RLock()
    _held.clear()  # they are the parent's to end


atexit.register(_release_all)
renew_after_fork(_renew)

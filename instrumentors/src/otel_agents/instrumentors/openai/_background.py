"""Responses that are generated in the background: their operations stay open until fetched here.

A response created with ``background=True`` has no tokens yet. If this process fetches it once it
is complete, its tokens are counted on the operation that asked for it; a response that another
process fetches, or none, ends without tokens. What is held is bounded in number and age.
"""

from __future__ import annotations

import atexit
import time
from typing import Any, Final, NamedTuple

from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._dialects.fields import text

__all__ = ["PENDING", "fetched", "hold"]

PENDING: Final = ("queued", "in_progress")
"""The states of a response that is not complete."""

_LIMIT: Final = 256
_SECONDS: Final = 900.0


class _Held(NamedTuple):
    """An operation that waits for its response, since a time of the monotonic clock."""

    since: float
    response_id: str
    operation: Operation

    def release(self) -> None:
        """Wait no longer."""
        self.operation.end()


_held: Final[Bounded[str, _Held]] = Bounded(_LIMIT, evicted=_Held.release)


def hold(response_id: str, operation: Operation) -> None:
    """Keep ``operation`` open until its response is fetched; the oldest make room."""
    now = time.monotonic()
    for held in _held.values():
        if now - held.since > _SECONDS and _held.pop(held.response_id) is not None:
            held.release()
    _held.put(response_id, _Held(now, response_id, operation))


def fetched(response_id: str | None, response: Any) -> None:
    """A response was read; if it is complete and was asked for here, its operation ends."""
    if response_id is None or text(response, "status") in PENDING:
        return
    held = _held.pop(response_id)
    if held is not None:
        held.operation.observe(response)
        held.release()


def _release_all() -> None:
    for held in _held.values():
        if _held.pop(held.response_id) is not None:
            held.release()


atexit.register(_release_all)

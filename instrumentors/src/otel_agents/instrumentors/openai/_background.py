"""Background responses: their operations stay open until this process fetches them.

A response created with ``background=True`` has no tokens yet. When this process fetches it
complete, its tokens go to the operation that requested it; cancelling or deleting it ends that
operation. If another process fetches it, or nobody does, the operation ends without tokens. Number
and age of open operations are bounded.
"""

from __future__ import annotations

import atexit
import math
from typing import Any, Final

from otel_agents.instrumentors._core.calls import results
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._dialects.fields import text
from otel_agents.instrumentors._dialects.openai.responses import PENDING

__all__ = ["Cancellation", "Deletion", "fetched", "hold"]

_LIMIT: Final = 256
_TTL_SECONDS: Final = 900.0


def _end(operation: Operation) -> None:
    operation.end()


_pending: Final[Bounded[str, Operation]] = Bounded(_LIMIT, evicted=_end, seconds=_TTL_SECONDS)
"""Open operations by response id."""


def hold(response_id: str, operation: Operation) -> None:
    """Keep ``operation`` open until its response is fetched; beyond the limit the oldest ends."""
    _pending.put(response_id, operation)


def fetched(response_id: str | None, response: Any) -> None:
    """End the operation that requested ``response``, if it is complete and was requested here."""
    if response_id is None or text(response, "status") in PENDING:
        return
    operation = _pending.pop(response_id)
    if operation is not None:
        operation.observe(response)
        operation.end()


class Cancellation(Observation):
    """A request that cancels a response and returns its state, maybe as a raw response."""

    def respond(self, value: Any) -> None:
        """End the operation that requested the response."""
        fetched(text(value, "id"), value)

    observe = respond

    def returned(self, value: Any) -> Any:
        """Observe the response, now or while it is read."""
        return results.follow(self, value)


class Deletion(Observation):
    """A request that deletes a response: nobody can fetch it any more."""

    def __init__(self, response_id: str) -> None:
        super().__init__(returned=lambda _: self._end_pending(response_id))

    def _end_pending(self, response_id: str) -> None:
        operation = _pending.pop(response_id)
        if operation is not None:
            operation.end()


def _end_all() -> None:
    _pending.expire(math.inf)


atexit.register(_end_all)

"""Responses that are generated in the background: their operations stay open until fetched here.

A response created with ``background=True`` has no tokens yet. If this process fetches it once it
is complete, its tokens are counted on the operation that asked for it; if it cancels it, that is the
operation's end. A response that another process fetches, or none, ends without tokens. What is held is
bounded in number and age.
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

__all__ = ["PENDING", "Cancelling", "Deleting", "fetched", "hold"]

PENDING: Final = ("queued", "in_progress")
"""The states of a response that is not complete."""

_LIMIT: Final = 256
_SECONDS: Final = 900.0


def _release(operation: Operation) -> None:
    """Wait no longer."""
    operation.end()


_held: Final[Bounded[str, Operation]] = Bounded(_LIMIT, evicted=_release, seconds=_SECONDS)
"""By the id of the response that each waits for."""


def hold(response_id: str, operation: Operation) -> None:
    """Keep ``operation`` open until its response is fetched; the oldest make room."""
    _held.put(response_id, operation)


def fetched(response_id: str | None, response: Any) -> None:
    """A response was read; if it is complete and was asked for here, its operation ends."""
    if response_id is None or text(response, "status") in PENDING:
        return
    operation = _held.pop(response_id)
    if operation is not None:
        operation.observe(response)
        operation.end()


class Cancelling(Observation):
    """A request that cancels a response, and is answered with its state; the answer may be a raw one."""

    def respond(self, value: Any) -> None:
        """Gather from the response."""
        fetched(text(value, "id"), value)

    observe = respond

    def returned(self, value: Any) -> Any:
        """The response, now or while it is read."""
        return results.follow(self, value)


class Deleting(Observation):
    """A request that deletes a response: nobody can fetch it any more."""

    def __init__(self, response_id: str) -> None:
        super().__init__(returned=lambda _: self._release(response_id))

    def _release(self, response_id: str) -> None:
        operation = _held.pop(response_id)
        if operation is not None:
            operation.end()


def _release_all() -> None:
    _held.expire(math.inf)


atexit.register(_release_all)

"""A claim: an outer layer announces that it asks a model, and learns whether a layer below reports."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from otel_agents.instrumentors._core import errors

__all__ = ["Attempt", "Claim"]


class Attempt:
    """One request that a claiming layer has evidence of having sent.

    ``taken`` tells that a layer below reported it; ``start_time`` is in nanoseconds since the epoch.
    """

    __slots__ = ("start_time", "taken")

    def __init__(self) -> None:
        self.start_time = time.time_ns()
        self.taken = False


class Claim:
    """An outer layer's announcement that it asks a model.

    Args:
        above: The claim that this one is made under, which is told of all that it is told.
        model: The model asked for, as far as this layer knows.
        provider: The provider, as far as this layer can tell.
        complete: Called with the operation below that has taken the claim, before it ends, to set
            on it what only this layer knows.

    The state lives on this object, not in the context: a background task keeps a copy of the
    context after the call has completed, and must find the claim closed (`close`).
    """

    __slots__ = (
        "_above",
        "_attempt",
        "_closed",
        "_complete",
        "_taken",
        "model",
        "provider",
        "sends_to",
        "withholds_usage",
    )

    def __init__(
        self,
        above: Claim | None = None,
        *,
        model: str | None = None,
        provider: str | None = None,
        complete: Callable[[Any], None] | None = None,
    ) -> None:
        self._above = above
        self._attempt: Attempt | None = None
        self._closed = False
        self._taken = False
        self._complete = complete
        self.withholds_usage = False
        """Whether a chunk that tells a stream's usage is not handed on to who has not asked for it."""
        self.model = model
        self.provider = provider
        self.sends_to: str | None = None
        """The provider for certain, by whatever host it is reached."""

    @property
    def closed(self) -> bool:
        """Whether the call that made the claim has completed."""
        return self._closed

    @property
    def taken(self) -> bool:
        """Whether a layer below has reported anything under this claim."""
        return self._taken

    @property
    def current(self) -> Attempt | None:
        """The attempt that is not over; None where nothing is being sent."""
        return self._attempt

    def attempt(self) -> Attempt:
        """Evidence: this layer is about to send a request; the attempt before is over."""
        self._attempt = Attempt()
        return self._attempt

    def finish_attempt(self) -> Attempt | None:
        """The current attempt is over; returns it, None where nothing was sent."""
        attempt, self._attempt = self._attempt, None
        return attempt

    def close(self) -> None:
        """The call has completed; nothing can be taken from it any more."""
        self._closed = True
        self.sends_to = None
        self._attempt = None

    def mark_taken(self) -> None:
        """A layer below reports; every claim above is told."""
        claim: Claim | None = self
        while claim is not None:
            claim._taken = True
            if claim._attempt is not None:
                claim._attempt.taken = True
            claim = claim._above

    def complete(self, operation: Any) -> None:
        """The operation that took this claim is about to end: every claim above may add to it."""
        claim: Claim | None = self
        while claim is not None:
            if claim._complete is not None:
                try:
                    claim._complete(operation)
                except Exception:
                    errors.internal_error("completing an operation from above")
            claim = claim._above

"""A claim: an outer layer announces a model call, and learns whether a layer below reports it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core import errors

__all__ = ["Attempt", "Claim"]

_MAX_REPORTS: Final = 16
"""Spans below one attempt that may turn out to report it."""


class Attempt:
    """One request that a claiming layer has evidence of having sent.

    ``start_time`` is in nanoseconds since the epoch.
    """

    __slots__ = ("_reports", "_taken", "start_time")

    def __init__(self) -> None:
        self.start_time = time.time_ns()
        self._taken = False
        self._reports: list[Callable[[], bool]] = []

    @property
    def taken(self) -> bool:
        """Whether a layer below has reported it."""
        return self._taken or any(reports() for reports in self._reports)

    def mark_taken(self) -> None:
        """Mark it as taken."""
        self._taken = True

    def taken_if(self, reports: Callable[[], bool]) -> None:
        """Take it, too, once ``reports`` returns True; the first few are kept."""
        if len(self._reports) < _MAX_REPORTS:
            self._reports.append(reports)


class Claim:
    """An outer layer's announcement of a model call.

    The state is on this object, not in the context: a background task keeps a copy of the context
    after the call has completed, and must find the claim closed (`close`).

    Args:
        above: The claim around this one, which is taken whenever this one is.
        model: The requested model, as far as this layer knows.
        provider: The provider, as far as this layer knows.
        complete: Called with the operation below that has taken the claim, before it ends, to add
            what only this layer knows.
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
        """Whether this layer drops a usage chunk that the application did not request."""
        self.model = model
        self.provider = provider
        self.sends_to: str | None = None
        """The provider, if known for certain, whatever the host."""

    @property
    def closed(self) -> bool:
        """Whether the call that opened the claim has completed."""
        return self._closed

    @property
    def taken(self) -> bool:
        """Whether a layer below has reported anything under this claim."""
        return self._taken

    @property
    def current(self) -> Attempt | None:
        """The current attempt; None if nothing is being sent."""
        return self._attempt

    def attempt(self) -> Attempt:
        """Record that this layer is about to send a request; the previous attempt is over."""
        self._attempt = Attempt()
        return self._attempt

    def finish_attempt(self) -> Attempt | None:
        """Finish the current attempt and return it; None if nothing was sent."""
        attempt, self._attempt = self._attempt, None
        return attempt

    def close(self) -> None:
        """Close the claim: the call has completed, and no layer can take it any more."""
        self._closed = True
        self.sends_to = None
        self._attempt = None

    def mark_taken(self) -> None:
        """Mark this claim and every claim above as taken: a layer below reports."""
        claim: Claim | None = self
        while claim is not None:
            claim._taken = True
            if claim._attempt is not None:
                claim._attempt.mark_taken()
            claim = claim._above

    def taken_if(self, reports: Callable[[], bool]) -> None:
        """Let the current attempt, and those of the claims above, be taken once ``reports()``."""
        claim: Claim | None = self
        while claim is not None:
            if claim._attempt is not None:
                claim._attempt.taken_if(reports)
            claim = claim._above

    def complete(self, operation: Any) -> None:
        """Let every claim above add to ``operation``, which took this one and is about to end."""
        claim: Claim | None = self
        while claim is not None:
            if claim._complete is not None:
                try:
                    claim._complete(operation)
                except Exception:
                    errors.internal_error("completing an operation from above")
            claim = claim._above

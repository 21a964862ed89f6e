"""Who reports a model call: the visible layer nearest to the provider.

An outer layer (a framework's LLM class, a router) opens a `Claim` in the context. The layer below
it that starts an inference takes the claim. The outer layer reports only on evidence of its own
that it sent something (`sent`), and only if nobody below took that attempt. A tool, agent
or workflow scope starts with no claim (`unclaimed`), so that a model called from inside a tool is
counted. The ids of responses reported lately are the net below all of it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core import errors
from otel_agents.semconv.values import Operation

from . import official
from .scope import inside, scope_of

__all__ = [
    "REPORTED",
    "Attempt",
    "Claim",
    "elsewhere",
    "is_reported",
    "sent",
    "take",
    "unclaimed",
]

_KINDS: Final = {
    Operation.CHAT: "inference",
    Operation.GENERATE_CONTENT: "inference",
    Operation.TEXT_COMPLETION: "inference",
    Operation.EMBEDDINGS: "embeddings",
}
"""What is claimed by each operation: the name of a field of `scope.Scope`."""
_REPORTED_LIMIT: Final = 4096


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
        operation: What is asked for; an embedding never takes a claim on a chat.
        context: The context the claim is made in; `context` is that context with the claim.
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
        "context",
        "model",
        "provider",
    )

    def __init__(
        self,
        operation: Operation,
        context: Context,
        *,
        model: str | None = None,
        provider: str | None = None,
        complete: Callable[[Any], None] | None = None,
    ) -> None:
        self._above = _nearest(operation, context)
        self._attempt: Attempt | None = None
        self._closed = False
        self._taken = False
        self._complete = complete
        self.model = model
        self.provider = provider
        self.context = inside(context, **{_KINDS[operation]: self})

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

    def settle(self) -> Attempt | None:
        """The current attempt is over; returns it, None where nothing was sent."""
        attempt, self._attempt = self._attempt, None
        return attempt

    def close(self) -> None:
        """The call has completed; nothing can be taken from it any more."""
        self._closed = True
        self._attempt = None

    def mark(self) -> None:
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


def _nearest(operation: Operation, context: Context) -> Claim | None:
    """The nearest open claim that ``operation`` could take."""
    kind = _KINDS.get(operation)
    claim = getattr(scope_of(context), kind) if kind is not None else None
    return claim if claim is not None and not claim.closed else None


def take(operation: Operation, context: Context) -> Claim | None:
    """Take the nearest open claim for ``operation``, if there is one; it and those above know."""
    claim = _nearest(operation, context)
    if claim is not None:
        claim.mark()
    return claim


def sent(operation: Operation, context: Context) -> bool:
    """Evidence from a hook: the layer whose claim is nearest sends now; whether there is one."""
    claim = _nearest(operation, context)
    if claim is not None:
        claim.attempt()
    return claim is not None


def elsewhere(context: Context) -> Context:
    """``context`` for one call of a model that has a span which is not ours.

    Whoever reports the call gives it no second one; its metrics and events are nobody else's.
    """
    return inside(context, elsewhere=True)


def unclaimed(context: Context) -> Context:
    """``context`` for the scope of a tool, an agent or a workflow.

    What is called in it is a call of its own: no layer above waits for it, and nobody else's span
    stands for it.
    """
    scope = scope_of(context)
    if scope.inference is not None or scope.embeddings is not None or scope.elsewhere:
        context = inside(context, inference=None, embeddings=None, elsewhere=False)
    return official.unannounced(context)


REPORTED: Final[deque[str]] = deque(maxlen=_REPORTED_LIMIT)
"""Ids of responses reported lately, appended when a span with one ends."""


def is_reported(response_id: Any) -> bool:
    """Whether a response of this id was reported lately; then no outer layer reports it."""
    return isinstance(response_id, str) and response_id in REPORTED

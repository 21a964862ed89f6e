"""Who reports a model call: the visible layer nearest to the provider.

An outer layer (a framework's LLM class, a router) opens a `Claim` in the context. The layer below
it that starts an inference takes the claim. The outer layer reports only on evidence of its own
that it sent something (`sent`), and only if nobody below took that attempt. A tool, agent
or workflow scope starts with no claim (`unclaimed`), so that a model called from inside a tool is
counted. The ids of responses reported lately are the net below all of it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import Context, create_key, get_value, set_value

from otel_agents.instrumentors._core import errors
from otel_agents.semconv.values import Operation

__all__ = [
    "Attempt",
    "Claim",
    "elsewhere",
    "is_elsewhere",
    "is_reported",
    "remember",
    "sent",
    "take",
    "unclaimed",
]

_KEYS: Final = {
    "inference": create_key("otel_agents-inference-claim"),
    "embeddings": create_key("otel_agents-embeddings-claim"),
}
_KINDS: Final = {
    Operation.CHAT: "inference",
    Operation.GENERATE_CONTENT: "inference",
    Operation.TEXT_COMPLETION: "inference",
    Operation.EMBEDDINGS: "embeddings",
}
_ELSEWHERE: Final = create_key("otel_agents-reported-elsewhere")
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
        key = _KEYS[_KINDS[operation]]
        self._above = _open_claim(key, context)
        self._attempt: Attempt | None = None
        self._closed = False
        self._taken = False
        self._complete = complete
        self.model = model
        self.provider = provider
        self.context = set_value(key, self, context)

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


def _open_claim(key: str, context: Context) -> Claim | None:
    claim = get_value(key, context)
    return claim if isinstance(claim, Claim) and not claim.closed else None


def take(operation: Operation, context: Context) -> Claim | None:
    """Take the nearest open claim for ``operation``, if there is one; it and those above know."""
    kind = _KINDS.get(operation)
    if kind is None:
        return None
    claim = _open_claim(_KEYS[kind], context)
    if claim is not None:
        claim.mark()
    return claim


def sent(operation: Operation, context: Context) -> bool:
    """Evidence from a hook: the layer whose claim is nearest sends now; whether there is one."""
    claim = _open_claim(_KEYS[_KINDS[operation]], context)
    if claim is not None:
        claim.attempt()
    return claim is not None


def elsewhere(context: Context) -> Context:
    """``context`` for one call of a model that has a span which is not ours.

    Whoever reports the call gives it no second one; its metrics and events are nobody else's.
    """
    return set_value(_ELSEWHERE, True, context)


def is_elsewhere(context: Context) -> bool:
    """Whether a call of a model has a span that is not ours."""
    return get_value(_ELSEWHERE, context) is not None


def unclaimed(context: Context) -> Context:
    """``context`` without any claim, for the scope of a tool, an agent or a workflow."""
    for key in (*_KEYS.values(), _ELSEWHERE):
        if get_value(key, context) is not None:
            context = set_value(key, None, context)
    return context


class _Reported:
    """Ids of responses reported lately; the oldest are forgotten."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.RLock()  # a destructor may interrupt its own thread here

    def remember(self, response_id: str) -> None:
        with self._lock:
            self._ids[response_id] = None
            self._ids.move_to_end(response_id)
            if len(self._ids) > _REPORTED_LIMIT:
                self._ids.popitem(last=False)

    def __contains__(self, response_id: str) -> bool:
        return response_id in self._ids


_reported = _Reported()


def remember(response_id: str) -> None:
    """A span with this response id is being reported."""
    _reported.remember(response_id)


def is_reported(response_id: Any) -> bool:
    """Whether a response of this id was reported lately; then no outer layer reports it."""
    return isinstance(response_id, str) and response_id in _reported

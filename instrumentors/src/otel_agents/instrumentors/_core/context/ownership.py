"""Who reports a model call: the visible layer nearest to the provider.

An outer layer (a framework's LLM class, a router) opens a `Claim` in the context. The layer below
it that starts an inference takes the claim. The outer layer reports only on evidence of its own
that it sent something (`sent`), and only if nobody below took that attempt. A tool, agent
or workflow scope starts with no claim (`without_claims`), so that a model called from inside a tool is
counted. The ids of responses reported lately are the net below all of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from opentelemetry.context import Context

from otel_agents.instrumentors._core.forking import renew_after_fork
from otel_agents.semconv.values import Operation

from . import official
from .claims import Claim
from .scope import scope_of, with_scope

__all__ = [
    "REPORTED",
    "Reported",
    "is_reported",
    "open_claim",
    "sent",
    "take",
    "with_foreign_span",
    "without_claims",
]

_KINDS: Final = MappingProxyType(
    {
        Operation.CHAT: "inference",
        Operation.GENERATE_CONTENT: "inference",
        Operation.TEXT_COMPLETION: "inference",
        Operation.EMBEDDINGS: "embeddings",
    }
)
"""What is claimed by each operation: the name of a field of `scope.Scope`."""
_REPORTED_LIMIT: Final = 4096


def _nearest(operation: Operation, context: Context) -> Claim | None:
    """The nearest open claim that ``operation`` could take."""
    kind = _KINDS.get(operation)
    claim = getattr(scope_of(context), kind) if kind is not None else None
    return claim if claim is not None and not claim.closed else None


def open_claim(
    operation: Operation,
    context: Context,
    *,
    model: str | None = None,
    provider: str | None = None,
    complete: Callable[[Any], None] | None = None,
) -> tuple[Claim, Context]:
    """A claim on ``operation``, and ``context`` with it; an embedding never takes one on a chat.

    See `Claim` for what it is made with.
    """
    above = _nearest(operation, context)
    claim = Claim(above, model=model, provider=provider, complete=complete)
    return claim, with_scope(context, **{_KINDS[operation]: claim})


def take(operation: Operation, context: Context) -> Claim | None:
    """Take the nearest open claim for ``operation``, if there is one; it and those above know."""
    claim = _nearest(operation, context)
    if claim is not None:
        claim.mark_taken()
    return claim


def sent(operation: Operation, context: Context) -> bool:
    """Evidence from a hook: the layer whose claim is nearest sends now; whether there is one."""
    claim = _nearest(operation, context)
    if claim is not None:
        claim.attempt()
    return claim is not None


def with_foreign_span(context: Context) -> Context:
    """``context`` for one call of a model that has a span which is not ours.

    Whoever reports the call gives it no second one; its metrics and events are nobody else's.
    """
    return with_scope(context, foreign_span=True)


def without_claims(context: Context) -> Context:
    """``context`` for the scope of a tool, an agent or a workflow.

    What is called in it is a call of its own: no layer above waits for it, and nobody else's span
    stands for it.
    """
    scope = scope_of(context)
    if scope.inference is not None or scope.embeddings is not None or scope.foreign_span:
        context = with_scope(context, inference=None, embeddings=None, foreign_span=False)
    return official.without_official_calls(context)


class Reported(NamedTuple):
    """One response that was reported.

    Attributes:
        response_id: The provider's id of it.
        time: When its operation ended, in nanoseconds since the epoch.
        layer: The class of the claiming layer that has reported it; None for one without a claim.
    """

    response_id: str
    time: int
    layer: type[Any] | None


REPORTED: Final[deque[Reported]] = deque(maxlen=_REPORTED_LIMIT)
"""Responses reported lately, the newest last; appended when a span with an id ends."""
renew_after_fork(REPORTED.clear)


def is_reported(response_id: Any, since: int, layer: type[Any]) -> bool:
    """Whether the response was reported while ``layer`` waited for it: then this layer does not.

    Clients of the application's own may give an id again. So what was reported before the request
    was sent is another response, and so is what the same kind of layer has reported elsewhere.
    """
    if not isinstance(response_id, str):
        return False
    for reported in reversed(REPORTED.copy()):
        if reported.time < since:
            return False
        if reported.response_id == response_id and reported.layer is not layer:
            return True
    return False

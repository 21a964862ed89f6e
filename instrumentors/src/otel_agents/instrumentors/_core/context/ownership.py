"""Who reports a model call: the visible layer nearest to the provider.

An outer layer (a framework's LLM class, a router) opens a `Claim` in the context. The layer below
it that starts an inference takes the claim. The outer layer reports only on evidence of its own
that it sent something (`sent`), and only if nobody below took that attempt. A tool, agent
or workflow scope starts with no claim (`unclaimed`), so that a model called from inside a tool is
counted. The ids of responses reported lately are the net below all of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.forking import renew_after_fork
from otel_agents.semconv.values import Operation

from . import official
from .claims import Claim
from .scope import inside, scope_of

__all__ = [
    "REPORTED",
    "claimed",
    "elsewhere",
    "is_reported",
    "sent",
    "take",
    "unclaimed",
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


def claimed(
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
    return claim, inside(context, **{_KINDS[operation]: claim})


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
renew_after_fork(REPORTED.clear)


def is_reported(response_id: Any) -> bool:
    """Whether a response of this id was reported lately; then no outer layer reports it."""
    return isinstance(response_id, str) and response_id in REPORTED

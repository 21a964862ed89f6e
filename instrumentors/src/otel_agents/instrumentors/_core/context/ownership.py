"""Who reports a model call: the visible layer nearest to the provider.

An outer layer (a framework's LLM class, a router) opens a `Claim` in the context. The layer below
that starts an inference takes the claim. The outer layer reports only on its own evidence that it
sent something (`sent`), and only if no layer below took that attempt. A tool, agent or workflow
scope starts without claims (`without_claims`), so that a model called from inside a tool is
counted. The layer below may be another library, whose span takes the claim (`notice_span`), and so
may the one above (`open_foreign_claim`). As a safety net, the ids of recently reported responses are
kept.
"""

from __future__ import annotations

import functools
import sys
from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from opentelemetry.context import Context, get_current
from opentelemetry.trace import NonRecordingSpan, get_current_span, set_span_in_context

from otel_agents.instrumentors._core.forking import renew_after_fork
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from . import official
from .claims import Claim, ForeignClaim
from .scope import Scope, scope_of, with_scope

__all__ = [
    "REPORTED",
    "Reported",
    "is_reported",
    "new_reported",
    "notice_span",
    "open_claim",
    "open_foreign_claim",
    "operations_like",
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
"""The claim that each operation takes: the name of a field of `scope.Scope`."""
_ALIKE: Final = MappingProxyType(
    {
        kind: frozenset(it.value for it, other in _KINDS.items() if other == kind)
        for kind in _KINDS.values()
    }
)
_NO_CLAIMS: Final = MappingProxyType(
    {"inference": None, "embeddings": None, "foreign": None, "foreign_span": False}
)
_REPORTED_LIMIT: Final = 4096


def _nearest(operation: Operation, context: Context) -> Claim | None:
    """Return the nearest open claim that ``operation`` can take."""
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
    """Open a claim on ``operation``; return it and ``context`` with it. See `Claim`.

    An embedding never takes a claim on a chat.
    """
    above = _nearest(operation, context)
    claim = Claim(above, model=model, provider=provider, complete=complete)
    return claim, with_scope(context, **{_KINDS[operation]: claim})


def take(operation: Operation, context: Context) -> Claim | None:
    """Take the nearest open claim for ``operation``, and mark those above it; None without one."""
    claim = _nearest(operation, context)
    if claim is not None:
        claim.mark_taken()
    return claim


def notice_span(span: Any, parent: Context | None) -> None:
    """Let ``span``, which another library starts in ``parent``, take the claim for its operation.

    An SDK or another instrumentation may report the call itself, below the layer that waits. Our
    own spans start without claims in their context. A span that names no operation when it starts,
    such as those of Mistral's SDK, may do so by the time the layer has a response.
    """
    context = get_current() if parent is None else parent
    scope = scope_of(context)
    if scope.foreign is not None:
        scope.foreign.notice(span)
    if scope.inference is None and scope.embeddings is None:
        return
    operation = _operation_of(span)
    if operation in _KINDS:
        take(Operation(operation), context)
    elif operation is None:
        for example in (Operation.CHAT, Operation.EMBEDDINGS):
            claim = _nearest(example, context)
            if claim is not None:
                claim.taken_if(functools.partial(_is_for, span, _KINDS[example]))


def _operation_of(span: Any) -> Any:
    attributes: Mapping[str, Any] = span.attributes or {}
    return attributes.get(attr.GEN_AI_OPERATION_NAME)


def _is_for(span: Any, kind: str) -> bool:
    return _KINDS.get(_operation_of(span)) == kind


def sent(operation: Operation, context: Context) -> bool:
    """Record that the layer with the nearest claim sends now; return whether there is one.

    Call it from a hook below that layer's cache.
    """
    claim = _nearest(operation, context)
    if claim is not None:
        claim.attempt()
    return claim is not None


def open_foreign_claim(claim: ForeignClaim, context: Context) -> Context:
    """Return ``context`` for one model call of a library whose span owns a response.

    Official instrumentations report nothing in it: the further responses are ours. Where the library
    has no span of the call, the span around is there as a parent only.
    """
    if official.MODULE in sys.modules:
        for example in (Operation.CHAT, Operation.EMBEDDINGS):
            if official.find(example, context) is None:
                context = official.announce(example, context)
    if not claim.library.has_span:
        around = get_current_span(context).get_span_context()
        context = set_span_in_context(NonRecordingSpan(around), context)
    return with_scope(context, foreign=claim)


def operations_like(operation: Operation) -> AbstractSet[str]:
    """Return the names of the operations that report the same kind of response."""
    kind = _KINDS.get(operation)
    return _ALIKE.get(kind, frozenset()) if kind is not None else frozenset()


def with_foreign_span(context: Context) -> Context:
    """Return ``context`` for one model call that has somebody else's span.

    Our instrumentors then emit only metrics and events for that call.
    """
    return with_scope(context, foreign_span=True)


def without_claims(context: Context, scope: Scope | None = None) -> Context:
    """Return ``context`` for the scope of a tool, an agent or a workflow.

    A call in it is independent: no layer above waits for it, and no foreign span covers it.

    Args:
        context: The context.
        scope: Its scope, if the caller has looked it up.
    """
    scope = scope_of(context) if scope is None else scope
    if (
        scope.inference is not None
        or scope.embeddings is not None
        or scope.foreign is not None
        or scope.foreign_span
    ):
        context = with_scope(context, **_NO_CLAIMS)
    return official.without_official_calls(context) if official.MODULE in sys.modules else context


class Reported(NamedTuple):
    """One response that was reported.

    Attributes:
        response_id: The provider's id of it.
        time: When its operation ended, in nanoseconds since the epoch.
        layer: The class of the claiming layer that reported it; None without a claim.
    """

    response_id: str
    time: int
    layer: type[Any] | None


new_reported: Final[Callable[[tuple[str, int, type[Any] | None]], Reported]] = functools.partial(
    cast(Any, tuple).__new__, Reported
)
"""Makes one, on a hot path: the class does it by a Python function."""

REPORTED: Final[deque[Reported]] = deque(maxlen=_REPORTED_LIMIT)
"""Recently reported responses, the newest last; appended when a span with an id ends."""
renew_after_fork(REPORTED.clear)


def is_reported(response_id: Any, since: int, layer: type[Any]) -> bool:
    """Return whether the response was reported while ``layer`` waited for it.

    An application's own client may return the same id again. So a response that was reported before
    the request was sent is another one, and so is one that the same class of layer reported.
    """
    if not isinstance(response_id, str):
        return False
    for reported in reversed(REPORTED.copy()):
        if reported.time < since:
            return False
        if reported.response_id == response_id and reported.layer is not layer:
            return True
    return False

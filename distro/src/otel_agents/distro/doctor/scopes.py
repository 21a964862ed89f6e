"""The scopes of the GenAI spans that a program emitted, and which model calls they count twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.foreign import OURS, VOCABULARIES, Repair, scope_named
from otel_agents.semconv.values import Operation

__all__ = ["EmittingScope", "Received", "emitting_scopes", "received"]

_MODEL_CALLS: Final = frozenset(
    (
        *(Operation.CHAT.value, Operation.GENERATE_CONTENT.value),
        *(Operation.TEXT_COMPLETION.value, Operation.EMBEDDINGS.value),
    )
)
_TOKENS: Final = frozenset((attr.GEN_AI_USAGE_INPUT_TOKENS, attr.GEN_AI_USAGE_OUTPUT_TOKENS))
_COUNTS: Final = _TOKENS.union(old for old, now in Repair().spellings.items() if now in _TOKENS)
_OUR_LIBRARY: Final = "otel-agents"
_READ: Final = (attr.GEN_AI_OPERATION_NAME, attr.GEN_AI_RESPONSE_ID)


class Received(NamedTuple):
    """What is kept of a span.

    Attributes:
        id: Its own id, with that of its trace.
        parent: That of its parent.
        scope: The name of its scope.
        operation: What it names; empty for none.
        response_id: The provider's id of the response; empty for none.
        has_tokens: Whether it has token counts.
    """

    id: tuple[bytes, bytes]
    parent: tuple[bytes, bytes]
    scope: str
    operation: str
    response_id: str
    has_tokens: bool


@dataclass(frozen=True)
class EmittingScope:
    """A scope whose spans show GenAI telemetry.

    ``library`` is ``otel-agents``, a library that it knows, or empty. ``model_calls`` are its spans
    of model calls, ``counted_twice`` those of otel-agents that count the tokens of the same response.
    """

    scope: str
    library: str
    spans: int
    model_calls: int
    counted_twice: int

    @property
    def finding(self) -> str:
        """A sentence if it counts something twice; else nothing."""
        if not self.counted_twice:
            return ""
        named = f"{self.library}, scope {self.scope}" if self.library else self.scope
        return (
            f"{named}: {self.counted_twice} model calls have a span with tokens there and another "
            "of otel-agents, so sums of tokens count them twice; disable the spans of that scope, or "
            "otel-agents' by OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
        )


def received(request: Any) -> Iterator[Received]:
    """Yield the spans of an export request that show GenAI telemetry."""
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                values = {pair.key: pair.value for pair in span.attributes}
                if any(map(_shows, values)):
                    operation, response_id = (
                        values[name].string_value if name in values else "" for name in _READ
                    )
                    yield Received(
                        (span.trace_id, span.span_id),
                        (span.trace_id, span.parent_span_id),
                        scope.scope.name,
                        operation,
                        response_id,
                        not _COUNTS.isdisjoint(values),
                    )


def _shows(name: str) -> bool:
    return any(one.is_shown_by(name) for one in VOCABULARIES)


def emitting_scopes(spans: Iterable[Received]) -> tuple[EmittingScope, ...]:
    """Return the scopes, ours first."""
    spans = list(spans)
    counted = Counter(span.scope for span in spans)
    calls = [span for span in spans if span.operation in _MODEL_CALLS]
    named = Counter(span.scope for span in calls)
    twice = _counted_twice(spans, calls)
    return tuple(
        EmittingScope(scope, _library(scope), number, named[scope], len(twice.get(scope, ())))
        for scope, number in sorted(counted.items(), key=lambda one: (not _is_ours(one[0]), one))
    )


def _is_ours(scope: str) -> bool:
    return scope.startswith(OURS)


def _library(scope: str) -> str:
    if _is_ours(scope):
        return _OUR_LIBRARY
    known = scope_named(scope)
    return "" if known is None else known.library


def _counted_twice(
    spans: list[Received], calls: list[Received]
) -> Mapping[str, set[tuple[bytes, bytes]]]:
    """Return, by another's scope, the ids of our spans of the calls that it counts, too."""
    by_id = {span.id: span for span in spans}
    by_response: defaultdict[str, list[Received]] = defaultdict(list)
    twice: defaultdict[str, set[tuple[bytes, bytes]]] = defaultdict(set)
    for span in calls:
        if span.response_id and span.has_tokens and not _is_ours(span.scope):
            by_response[span.response_id].append(span)
    for ours in calls:
        if _is_ours(ours.scope) and ours.has_tokens:
            around = _call_around(ours, by_id)
            for other in by_response.get(ours.response_id, ()):
                twice[other.scope].add(ours.id)
            if around is not None and around.has_tokens and not _is_ours(around.scope):
                twice[around.scope].add(ours.id)
    return twice


def _call_around(span: Received, by_id: Mapping[tuple[bytes, bytes], Received]) -> Received | None:
    """Return the span of a model call around; None if an agent's or a tool's is in between."""
    above = by_id.get(span.parent)
    seen = {span.id}
    while above is not None and not above.operation and above.id not in seen:
        seen.add(above.id)
        above = by_id.get(above.parent)
    return above if above is not None and above.operation in _MODEL_CALLS else None

"""A claim: an outer layer announces a model call, and learns whether a layer below reports it.

The outer layer may be a library with a span of its own for the call. Then the claim holds whether or
not that span is sampled. The span owns one response: the first that completes in the call. Our
instrumentors emit no span for that one, and complete the library's. Further responses and failed
attempts are ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span

from otel_agents.instrumentors._core import errors
from otel_agents.semconv import attributes as attr

__all__ = ["Attempt", "Claim", "ForeignClaim", "ForeignLibrary"]

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
        if self._taken or not self._reports:  # a hot path: nearly always
            return self._taken
        return any(reports() for reports in self._reports)

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
        "_complete",
        "closed",
        "current",
        "model",
        "provider",
        "sends_to",
        "taken",
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
        self.current: Attempt | None = None
        """The current attempt; None if nothing is being sent."""
        self.closed = False
        """Whether the call that opened the claim has completed."""
        self.taken = False
        """Whether a layer below has reported anything under this claim."""
        self._complete = complete
        self.withholds_usage = False
        """Whether this layer drops a usage chunk that the application did not request."""
        self.model = model
        self.provider = provider
        self.sends_to: str | None = None
        """The provider, if known for certain, whatever the host."""

    def attempt(self) -> Attempt:
        """Record that this layer is about to send a request; the previous attempt is over."""
        self.current = Attempt()
        return self.current

    def finish_attempt(self) -> Attempt | None:
        """Finish the current attempt and return it; None if nothing was sent."""
        attempt, self.current = self.current, None
        return attempt

    def close(self) -> None:
        """Close the claim: the call has completed, and no layer can take it any more."""
        self.closed = True
        self.sends_to = None
        self.current = None

    def mark_taken(self) -> None:
        """Mark this claim and every claim above as taken: a layer below reports."""
        claim: Claim | None = self
        while claim is not None:
            claim.taken = True
            if claim.current is not None:
                claim.current.mark_taken()
            claim = claim._above

    def taken_if(self, reports: Callable[[], bool]) -> None:
        """Let the current attempt, and those of the claims above, be taken once ``reports()``."""
        claim: Claim | None = self
        while claim is not None:
            if claim.current is not None:
                claim.current.taken_if(reports)
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


class ForeignLibrary(NamedTuple):
    """A library that emits a span for each of its model calls.

    Attributes:
        scopes: The instrumentation scopes of its spans.
        metrics: The names of the metrics that it records itself, with the conventions' meaning.
        failures: The errors of calls for which it records them, too; None for none.
        event: Whether it emits the event with all details itself.
        leaves_open: Whether its span never ends if the application leaves a stream.
        miscounts: Whether the tokens that it records may not be those that were billed: ours then
            replace them.
        has_span: Whether it starts a span of the call. Another instrumentation may have replaced what
            starts it: what the library then writes would be on the span around.
    """

    scopes: tuple[str, ...]
    metrics: AbstractSet[str] = frozenset()
    failures: type[BaseException] | None = BaseException
    event: bool = False
    leaves_open: bool = False
    miscounts: bool = False
    has_span: bool = True

    def records(self, error: BaseException | None) -> bool:
        """Return whether it records its metrics for a call that ends with ``error``, if any."""
        return error is None or (self.failures is not None and isinstance(error, self.failures))


class ForeignClaim:
    """One model call of a library that has a span of its own for it.

    The state is on this object, not in the context: see `claims.Claim`.

    Args:
        library: The library.
        tracer: What starts its spans, if known.
        span: Its span, if it has started.
    """

    __slots__ = (
        "_closed_at",
        "_held",
        "_left",
        "_opened_at",
        "_span",
        "_tracer",
        "_unowned",
        "library",
        "usage",
    )

    def __init__(
        self, library: ForeignLibrary, *, tracer: object = None, span: Span | None = None
    ) -> None:
        self.library = library
        self._tracer = tracer
        self._span = span
        self._opened_at = time.time_ns()
        self._closed_at: int | None = None
        self._left = False
        self._held: Callable[[], None] | None = None
        self._unowned: Final[list[None]] = [None]
        self.usage: Mapping[str, Any] = {}
        """The tokens of the response that the span owns, by the names of their attributes."""

    def notice(self, span: Any) -> None:
        """Take ``span``, which starts within the call, for the library's if it is."""
        if self._closed_at is None and _scope_of(span) in self.library.scopes:
            self._span = span

    @property
    def span(self) -> Span | None:
        """The library's span, as far as known."""
        return self._span

    @span.setter
    def span(self, span: Span) -> None:
        self._span = span

    def covers(self, start_time: int) -> bool:
        """Return whether an operation that started then can be the one that the span owns."""
        return bool(self._unowned) and (self._closed_at is None or start_time < self._closed_at)

    def is_exported_with(self, tracer: object, context: Context) -> bool:
        """Return whether the library's spans are exported with those of ``tracer``, ours."""
        span = get_current_span(context) if self._span is None else self._span
        return _exported_alike(self._tracer, tracer) and _exported_alike(span, tracer)

    def is_around(self, context: Context) -> bool:
        """Return whether the span around ``context`` is the library's, of whatever operation."""
        return not self._is_replaced and self._is_theirs(
            get_current_span(context) if self._span is None else self._span
        )

    def _is_theirs(self, span: Any) -> bool:
        """Return whether ``span`` is the library's, of this call: not of an agent around it."""
        if span is not self._span and (getattr(span, "start_time", None) or 0) < self._opened_at:
            return False
        return _scope_of(span) in self.library.scopes

    def span_in(self, context: Context, operations: AbstractSet[str]) -> Span | None:
        """Return the library's span around an operation in ``context``; None if it has none there.

        It may be one that is not recorded, since it was not sampled.

        Args:
            context: The context in which the operation starts.
            operations: The names of operations that the span may have.
        """
        if self._is_replaced:
            return None
        span = get_current_span(context) if self._span is None else self._span
        if not span.is_recording():
            return INVALID_SPAN if self._span is None else span
        known: Any = span
        attributes: Mapping[str, Any] = getattr(known, "attributes", None) or {}
        named = attributes.get(attr.GEN_AI_OPERATION_NAME) in operations
        return span if named and self._is_theirs(span) else None

    @property
    def _is_replaced(self) -> bool:
        return self._span is None and not self.library.has_span

    def own(self) -> bool:
        """Let the span own the response that completes now; return whether it is the first."""
        try:
            self._unowned.pop()  # atomic
        except IndexError:
            return False
        return True

    @property
    def owns(self) -> bool:
        """Whether the span owns a response."""
        return not self._unowned

    def hold(self, record: Callable[[], None]) -> None:
        """Keep what ``record`` records of an attempt that failed, and record what was kept before.

        If the attempt is the last one, the library's call fails by it, and the library records it.
        """
        before, self._held = self._held, record
        if before is not None:
            before()

    def release(self) -> None:
        """Record what is kept of an attempt that failed: another one followed."""
        before, self._held = self._held, None
        if before is not None:
            before()

    def close(self) -> None:
        """Close the claim: the call has completed."""
        self._closed_at = time.time_ns()
        self._held = None

    def leave_call(self) -> None:
        """Record that the application left the call; close the claim."""
        self.close()
        self._leave()

    def leave_response(self) -> None:
        """Record that the response that the span owns was left."""
        self._leave()

    def _leave(self) -> None:
        """End the span, which nobody else will end, once both the call and its response are left."""
        left, self._left = self._left, True
        if left and self.library.leaves_open and self._span is not None:
            self._span.end()


def _exported_alike(theirs: object, ours: object) -> bool:
    """Return whether spans of ``theirs``, a tracer or a span, are exported with those of ``ours``.

    A tracer of the SDK and its spans have the processors of their provider. If those of either are
    unknown, they are.
    """
    processors = [_processor_of(it) for it in (theirs, ours)]
    return None in processors or processors[0] is processors[1]


def _processor_of(source: object) -> object:
    source = getattr(source, "_tracer", source)  # the API's, which was made before the provider
    return getattr(source, "span_processor", None) or getattr(source, "_span_processor", None)


def _scope_of(span: Any) -> str | None:
    return getattr(getattr(span, "instrumentation_scope", None), "name", None)

"""A foreign claim: a library with a span of its own for a model call is about to make it.

A row on the library's own call opens it, so that it holds whether or not the span is sampled. The
library's span owns one response: the first that completes in the call. Our instrumentors emit no
span for that one, and complete the library's. Further responses and failed attempts are ours.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span

from otel_agents.semconv import attributes as attr

__all__ = ["ForeignClaim", "ForeignLibrary", "is_exported_with"]


class ForeignLibrary(NamedTuple):
    """A library that emits a span for each of its model calls.

    Attributes:
        scopes: The instrumentation scopes of its spans.
        metrics: The names of the metrics that it records itself, with the conventions' meaning.
        failures: Whether it records them for calls that fail, too.
        event: Whether it emits the event with all details itself.
        leaves_open: Whether its span never ends if the application leaves a stream.
        miscounts: Whether the tokens that it records may not be those that were billed: ours then
            replace them.
    """

    scopes: tuple[str, ...]
    metrics: AbstractSet[str] = frozenset()
    failures: bool = True
    event: bool = False
    leaves_open: bool = False
    miscounts: bool = False


class ForeignClaim:
    """One model call of a library that has a span of its own for it.

    The state is on this object, not in the context: see `claims.Claim`.

    Args:
        library: The library.
        tracer: What starts its spans, if known.
        span: Its span, if it has started.
    """

    __slots__ = ("_closed_at", "_left", "_span", "_tracer", "_unowned", "library", "usage")

    def __init__(
        self, library: ForeignLibrary, *, tracer: object = None, span: Span | None = None
    ) -> None:
        self.library = library
        self._tracer = tracer
        self._span = span
        self._closed_at: int | None = None
        self._left = False
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

    def span_in(
        self, context: Context, operations: AbstractSet[str], tracer: object
    ) -> Span | None:
        """Return the library's span around an operation in ``context``; None if it has none there.

        It may be one that is not recorded, since it was not sampled.

        Args:
            context: The context in which the operation starts.
            operations: The names of operations that the span may have.
            tracer: What would start the operation's own span.
        """
        if not is_exported_with(self._tracer, tracer):
            return None
        span = get_current_span(context) if self._span is None else self._span
        if not span.is_recording():
            return INVALID_SPAN if self._span is None else span
        known: Any = span
        attributes: Mapping[str, Any] = getattr(known, "attributes", None) or {}
        is_theirs = (
            _scope_of(known) in self.library.scopes
            and attributes.get(attr.GEN_AI_OPERATION_NAME) in operations
            and is_exported_with(known, tracer)
        )
        return span if is_theirs else None

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

    def close(self) -> None:
        """Close the claim: the call has completed."""
        self._closed_at = time.time_ns()

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


def is_exported_with(theirs: object, ours: object) -> bool:
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

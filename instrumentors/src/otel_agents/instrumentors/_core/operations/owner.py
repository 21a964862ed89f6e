"""Who owns an operation: decided before its span starts, and consulted again at its end.

One response is one inference span, whoever emits it. For our own calls we emit the span. If an
official instrumentation has announced the call in the context, we hand our attributes over to it.
If a foreign span covers the call, we emit only its metrics and event. If a library around claims
it, its span owns the first response: whether that is this one shows when it completes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span

from otel_agents.instrumentors._core.context import official
from otel_agents.instrumentors._core.context.claims import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.context.ownership import operations_like
from otel_agents.instrumentors._core.context.scope import Scope
from otel_agents.instrumentors._core.telemetry.metrics import Measure
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

__all__ = ["FOREIGN_SPAN", "OURS", "ClaimedAround", "OfficialCall", "Owner", "owner_of"]


Failed = Callable[[tuple[Measure, ...]], None]
"""Records measures of an attempt that failed."""

_USAGE: Final = (attr.GEN_AI_USAGE_INPUT_TOKENS, attr.GEN_AI_USAGE_OUTPUT_TOKENS)


class Owner:
    """Decides who reports an operation.

    An owner decides three things: whether we emit the span, and with it the context in which the
    operation works; whether we emit metrics, event and content; and where the attributes go
    otherwise.
    """

    __slots__ = ()

    has_span: ClassVar[bool] = True
    """Whether we emit a span, which is current in the operation's context."""

    emits: ClassVar[bool] = True
    """Whether we emit metrics, event and content."""

    def receive(self, attributes: Mapping[str, Any]) -> None:
        """Take the attributes of an operation that ends and emits nothing."""

    def measures(
        self,
        measures: tuple[Measure, ...],
        failed: Failed | None = None,
        error: BaseException | None = None,
    ) -> tuple[Measure, ...]:
        """Return which of ``measures`` we record.

        Args:
            measures: What can be recorded of the operation.
            failed: If it is an attempt that failed: what records others of them later.
            error: How it failed; None if it was interrupted, because the process is terminating.
        """
        return measures


class _ForeignSpan(Owner):
    __slots__ = ()
    has_span = False


class ClaimedAround(Owner):
    """A library around claims the call, whose span owns the first response that completes.

    Until then we have no span: to start one and drop it would orphan those below it.

    Args:
        claim: The claim.
        library: The library, and what it records where ours goes.
        span: The library's span.
        parent: The context in which the operation starts.
    """

    __slots__ = ("_claim", "_library", "links", "name", "parent", "span")
    has_span = False

    def __init__(
        self, claim: ForeignClaim, library: ForeignLibrary, span: Span, parent: Context
    ) -> None:
        self._claim = claim
        self._library = library
        self.span = span
        self.parent = parent
        self.name = ""
        """The name of our span, should the library's own another response."""
        self.links: Sequence[Link] | None = None

    def own(self) -> bool:
        """Let the library's span own the response; return False if it owns another one."""
        self._claim.release()
        return self._claim.own()

    def failed_attempt(self) -> Owner:
        """Return the owner of this call, which failed: us, but for what the library records."""
        return _FailedAttempt(self._claim, self._library)

    def leave_response(self) -> None:
        """Record that the application left the response, a stream, before its end."""
        self._claim.leave_response()

    @property
    def ends_cancelled(self) -> bool:
        """Whether the library's span ends, too, if the call is cancelled while it is streamed."""
        return not self._library.leaves_open

    @property
    def library_emits_event(self) -> bool:
        """Whether the library emits the event with all details itself."""
        return self._library.event

    def measures(
        self,
        measures: tuple[Measure, ...],
        failed: Failed | None = None,
        error: BaseException | None = None,
    ) -> tuple[Measure, ...]:
        """Leave out what the library records itself."""
        recorded = self._library.records(error)
        return _without_theirs(measures, self._library) if recorded else measures

    def receive(self, attributes: Mapping[str, Any]) -> None:
        """Add to the library's span what it does not have."""
        usage = {name: attributes[name] for name in _USAGE if name in attributes}
        self._claim.usage = usage
        span: Any = self.span
        if span.is_recording():  # it may have ended
            known: Mapping[str, Any] = getattr(span, "attributes", None) or {}
            added = {name: it for name, it in attributes.items() if name not in known}
            span.set_attributes({**added, **usage} if self._library.miscounts else added)


class _FailedAttempt(Owner):
    """We emit the span of an attempt that failed; the library's call may fail by it, too."""

    __slots__ = ("_claim", "_library")

    def __init__(self, claim: ForeignClaim, library: ForeignLibrary) -> None:
        self._claim = claim
        self._library = library

    def measures(
        self,
        measures: tuple[Measure, ...],
        failed: Failed | None = None,
        error: BaseException | None = None,
    ) -> tuple[Measure, ...]:
        """Leave out what the library records itself, if its call fails by this attempt."""
        recorded = error is not None and self._library.records(error)
        if failed is None or self._claim.owns or not recorded:
            return measures
        ours = _without_theirs(measures, self._library)
        left_out = tuple(it for it in measures if it not in ours)
        self._claim.hold(lambda: failed(left_out))
        return ours


class _Measured(_FailedAttempt):
    """The library's span is not there, as another instrumentation replaces it; its metrics are.

    So our span owns the response, and the library's metrics do, too.
    """

    __slots__ = ()

    def measures(
        self,
        measures: tuple[Measure, ...],
        failed: Failed | None = None,
        error: BaseException | None = None,
    ) -> tuple[Measure, ...]:
        """Leave out what the library records itself, of the first response."""
        if failed is not None:
            return super().measures(measures, failed, error)
        self._claim.release()
        return _without_theirs(measures, self._library) if self._claim.own() else measures


def _without_theirs(measures: tuple[Measure, ...], library: ForeignLibrary) -> tuple[Measure, ...]:
    return tuple(it for it in measures if it.metric.name not in library.metrics)


class OfficialCall(Owner):
    """An official instrumentation above has announced the call, and reports it.

    Args:
        data: Its data object in the context, to be filled in.
    """

    __slots__ = ("_data",)
    has_span = False
    emits = False

    def __init__(self, data: object) -> None:
        self._data = data

    def receive(self, attributes: Mapping[str, Any]) -> None:
        """Hand ``attributes`` over to the official call."""
        official.fill(self._data, attributes)


OURS: Final = Owner()
"""The visible layer nearest to the provider is one of our instrumentors; the default."""

FOREIGN_SPAN: Final = _ForeignSpan()
"""A foreign span covers the call; we emit only its metrics and event."""


def owner_of(
    operation: Operation,
    scope: Scope,
    parent: Context,
    telemetry: Telemetry,
    start_time: int | None = None,
) -> Owner:
    """Return the owner of a model call.

    Args:
        operation: Its operation.
        scope: The scope of ``parent``.
        parent: The context in which it starts.
        telemetry: What it emits with.
        start_time: When it started, if earlier than now; in nanoseconds since the epoch.
    """
    data = official.find(operation, parent)
    if data is not None:
        return OfficialCall(data)
    if scope.foreign_span:
        return FOREIGN_SPAN
    claim, now = scope.foreign, time.time_ns() if start_time is None else start_time
    if (
        claim is None
        or not claim.covers(now)
        or not claim.is_exported_with(telemetry.tracer, parent)
    ):
        return OURS
    library = claim.library
    if not telemetry.has_global_meters:
        library = library._replace(metrics=frozenset())  # ours would be missing where ours go
    operations = operations_like(operation)
    span = claim.span_in(parent, operations)
    if span is not None:
        return ClaimedAround(claim, library, span, parent)
    return OURS if claim.is_around(parent) else _Measured(claim, library)

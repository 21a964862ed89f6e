"""The life of an operation: start with what samplers need, describe, end exactly once.

No subclass overrides the life cycle. A framework defines two things: how an operation starts, by
the arguments of the constructor, and how it is described, by `Operation.respond` or, for streams,
by `Operation.chunk` and `Operation.conclude`.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, Final, TypeVar, final
from weakref import ReferenceType

from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN, Link, Span, Status, StatusCode, set_span_in_context

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.finalization import DROPPED_AT
from otel_agents.instrumentors._core.context.ownership import without_claims
from otel_agents.instrumentors._core.context.scope import (
    NO_SCOPE,
    OFFICIAL_CONVERSATION_MODULE,
    Scope,
    official_conversation_id,
    scope_of,
    with_scope,
)
from otel_agents.instrumentors._core.context.started import STARTED
from otel_agents.instrumentors._core.tables import EXPIRING, evict_expired
from otel_agents.instrumentors._core.telemetry.content import DISABLED_CONTENT, Content
from otel_agents.instrumentors._core.telemetry.gate import CLOSED
from otel_agents.instrumentors._core.telemetry.identity import identified
from otel_agents.instrumentors._core.telemetry.metrics import Measure
from otel_agents.instrumentors._core.telemetry.records import record_of
from otel_agents.instrumentors._core.telemetry.span_attributes import set_attributes
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import events, values

from . import kinds
from .in_progress import DISCARDED, IN_PROGRESS, Entry
from .kinds import Kind
from .owner import OURS, ClaimedAround, Owner

__all__ = ["Operation"]

_Class = TypeVar("_Class")

_SPAN: Final = next(iter(set_span_in_context(INVALID_SPAN, Context())))
"""OpenTelemetry's key of the current span: its function copies a context more often than needed."""
_NEVER: Final = math.inf


class Operation:
    """One operation in progress.

    Set what you learn in ``attributes`` and ``content``; both are read once, when the operation
    ends. Skip attributes that metrics do not need if ``detailed`` is False: nothing records them.

    Example:
        >>> def audit(telemetry, call):
        ...     operation = Step(telemetry, "audit")
        ...     operation.when_ended.append(lambda: print(operation.duration))
        ...     return operation
        >>> issubclass(Step, Operation)
        True

    Args:
        telemetry: What to emit with.
        kind: The kind of the operation.
        name: The span's name, of low cardinality.
        attributes: The sampling-relevant attributes, set when the span starts.
        parent: The parent context; default is the current one.
        start_time: Nanoseconds since the epoch, for an operation that started earlier.
        links: Links of the span.
        owner: The owner, which reports the operation.
        scope: The scope of ``parent``, if the caller has looked it up.
    """

    __slots__ = (
        *("__weakref__", "_ended", "_entry", "_error_passes", "_gate", "_held", "_kind", "_owner"),
        *("_start_attributes", "_start_counter"),
        *("attributes", "complete", "content", "context", "detailed"),
        *("duration", "end_time", "error", "error_type", "hold_open", "recording", "sent", "span"),
        *("start_time", "telemetry", "when_ended"),
    )

    _responds: ClassVar[bool] = False
    _concludes: ClassVar[bool] = False
    _finalizes: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._responds = cls.respond is not Operation.respond
        cls._concludes = cls.conclude is not Operation.conclude
        cls._finalizes = cls._finalize is not Operation._finalize

    def __init__(
        self,
        telemetry: Telemetry,
        kind: Kind,
        name: str,
        attributes: dict[str, Any],
        *,
        parent: Context | None = None,
        start_time: int | None = None,
        links: Sequence[Link] | None = None,
        owner: Owner = OURS,
        scope: Scope | None = None,
    ) -> None:
        self.telemetry = telemetry
        self._kind = kind
        self._ended = self._held = self._error_passes = False
        self.error: BaseException | None = None
        """What the call raised, until everything is emitted; `error_type` stays."""
        self.error_type: str | None = None
        self.sent = True
        """False until a request is sent (`sending.expect_sending`): to fail before discards it."""
        self.complete = False
        """Whether a stream has delivered everything: then closing it early does not abandon it."""
        self.hold_open: Callable[[], object] | None = None
        """Called once instead of ending, for an operation that outlives its call."""
        self.when_ended: list[Callable[[], object]] = []
        """Called after the operation ended or was discarded."""
        self.end_time = 0
        self.duration = 0.0
        """Seconds from start to end; the same as the span's."""
        if EXPIRING.due < _NEVER and time.monotonic() >= EXPIRING.due:
            evict_expired()
        now, counter = time.time_ns(), time.perf_counter_ns()
        self.start_time = now if start_time is None else start_time
        self._start_counter = counter if start_time is None else counter - (now - start_time)
        parent = get_current() if parent is None else parent
        self.attributes: dict[str, Any] = {}
        self._start_attributes = attributes
        scope = scope_of(parent) if scope is None else scope
        if telemetry.settings.identity_from_baggage:
            scope = identified(scope, parent, telemetry.settings.identity_from_baggage)
        self._gate = telemetry.gate if scope.records_content else CLOSED
        self._owner = owner
        self.span: Span = INVALID_SPAN
        if owner.has_span:
            context = self._start_span(name, parent, links, scope)
        else:
            context = self._start_without_span(name, parent, links)
        emitted = telemetry.settings.emit_event
        self.detailed = self.recording or emitted or not owner.emits
        policy = self._gate.policy
        reads_content = self.detailed or policy.completion is not None  # not only metrics
        self.content = (
            Content(policy, self.recording, emitted and kind.event is not None)
            if self._gate.enabled and owner.emits and reads_content
            else DISABLED_CONTENT
        )
        self.context = without_claims(context, scope) if kind.independent else context
        if kind.conversation:
            conversation = scope.conversation_id or (
                official_conversation_id(parent)
                if OFFICIAL_CONVERSATION_MODULE in sys.modules
                else None
            )
            if conversation:
                self.attributes[attr.GEN_AI_CONVERSATION_ID] = conversation
        if scope is not NO_SCOPE:
            if scope.user_id:
                self.attributes[attr.USER_ID] = scope.user_id
            if scope.session_id:
                self.attributes[attr.SESSION_ID] = scope.session_id
            if scope.tags:
                self.attributes.update(scope.tags)
        self._entry: Entry | None = ReferenceType(self, IN_PROGRESS.forget)
        IN_PROGRESS[self._entry] = None
        started = STARTED.get()
        if started is not None and not started.over:
            started.append(self)

    def _start_without_span(
        self, name: str, parent: Context, links: Sequence[Link] | None
    ) -> Context:
        """Start without a span; return the context, with the span of the library that claims."""
        self.recording, owner = False, self._owner
        if not isinstance(owner, ClaimedAround):
            return parent
        owner.name, owner.links = name, links
        self.recording = owner.span.is_recording()
        inside = with_scope(parent, foreign=None)  # a call within is a response of its own
        if owner.span is not INVALID_SPAN:
            inside = Context({**inside, _SPAN: owner.span})
        owner.parent = inside
        return inside

    def _start_span(
        self, name: str, parent: Context, links: Sequence[Link] | None, scope: Scope
    ) -> Context:
        """Start the span and return its context; if that fails, go on in ``parent``."""
        # A claim is for an operation that starts, not for its span, which a processor may notice.
        hidden = scope is not NO_SCOPE and (scope.inference or scope.embeddings) is not None
        outside = with_scope(parent, inference=None, embeddings=None) if hidden else parent
        try:
            self.span = self.telemetry.tracer.start_span(
                name,
                outside,
                self._kind.span_kind,
                self._start_attributes,
                links,
                start_time=self.start_time,
                record_exception=False,
                set_status_on_exception=False,
            )
        except Exception:  # of a sampler, an id generator or a span processor
            errors.foreign_error("starting a span")
            self.recording = False
            return parent
        self.recording = self.span.is_recording()
        if self.span is INVALID_SPAN:
            return parent
        return Context({**parent, _SPAN: self.span})

    # What a framework overrides.

    def respond(self, value: Any) -> None:
        """Record what the result holds; for frameworks to override."""

    def chunk(self, item: Any) -> object:
        """Record what one item of a stream holds; for frameworks to override."""

    def conclude(self) -> None:
        """Record what was collected, before any end; for frameworks to override."""

    def is_failure(self, error: BaseException) -> bool:
        """Return whether ``error`` is a failure, not control flow; for frameworks to override."""
        return True

    def error_code(self, error: BaseException) -> str | None:
        """Return the provider's code of ``error``, None for its class; for frameworks to override.

        No text, which may be content.
        """
        return None

    def has_reported(self, error: BaseException) -> bool:
        """Return whether an operation below has reported ``error``; for frameworks to override."""
        return False

    # What a call or a stream reports (`calls.reporting.CallObserver`).

    def returned(self, value: Any) -> Any:
        """Record the result ``value`` and end."""
        if self._responds:
            self.respond(value)
        self.end()
        return value

    @final
    def observe(self, value: Any) -> None:
        """Record a result on its way to the application; log an error in our own code."""
        _guard("recording a response", self.respond, value)

    @final
    def exhausted(self, value: Any) -> None:
        """End: the stream is at its end."""
        self.end()

    @final
    def abandoned(self) -> None:
        """End: the caller stopped reading the stream before its end, which is no error."""
        if not self.sent:
            self.discard()
        if not self.complete:
            self.attributes[attr.OTEL_AGENTS_STREAM_ABANDONED] = True
        self.end()

    @final
    def failed(self, error: BaseException, *, passes: bool = False) -> None:
        """End with ``error``, which the call or the stream raised; cancellation is an error too.

        Args:
            error: The error.
            passes: Whether an operation below has reported it: then no exception event is emitted.
        """
        if not self.sent:
            self.discard()
        elif _classify(self.is_failure, error, True):
            self.error = error
            self.error_type = _classify(self.error_code, error, None) or errors.error_type(error)
            self._error_passes = passes or _classify(self.has_reported, error, False)
        self.end()

    @final
    def interrupt(self) -> None:
        """End with what is known, because the process is terminating.

        This does nothing after the end. An operation that is held open goes on elsewhere, which is
        no error.
        """
        if self._ended:
            return
        self.hold_open = None
        if not self._held:
            self.error_type = values.ERROR_TYPE_INTERRUPTED
        self.end()

    @final
    def discard(self) -> None:
        """Drop the operation, because nothing happened after all. Its span never ends."""
        if not self._ended:
            self._ended = True
            DISCARDED.add(self.span)
            self._deregister()

    @final
    def mark_failed(self, code: str | None) -> None:
        """Record an error that the provider reports without an exception.

        This does not end the operation.

        Args:
            code: The provider's own name of the error; None if it has none.
        """
        self.error_type = code or values.ERROR_TYPE_OTHER

    @property
    def known(self) -> dict[str, Any]:
        """The current attributes, including those from the span's start."""
        return {**self._start_attributes, **self.attributes}

    @property
    def ended(self) -> bool:
        """Whether the operation has ended or was discarded."""
        return self._ended

    @final
    def elapsed(self) -> int:
        """Return the nanoseconds since the start; for a dropped stream, up to the drop.

        The clock is monotonic.
        """
        return (DROPPED_AT.get() or time.perf_counter_ns()) - self._start_counter

    @final
    def end(self) -> None:
        """End once: emit attributes, status, content, metrics, events and span."""
        if self._ended or (self.hold_open is not None and self._is_held_open()):
            return
        self._ended = True
        try:
            if self._concludes:
                try:
                    self.conclude()  # may end operations below
                except Exception:
                    errors.internal_error("describing an operation")
        finally:
            elapsed = (DROPPED_AT.get() or time.perf_counter_ns()) - self._start_counter
            elapsed = max(elapsed, 0)
            self.end_time, self.duration = self.start_time + elapsed, elapsed / 1e9
            try:
                if isinstance(self._owner, ClaimedAround):
                    _guard("deciding who reports a response", self._settle, self._owner)
                self._emit()
            finally:
                try:
                    self.span.end(self.end_time)
                except Exception:  # of a span processor
                    errors.foreign_error("ending a span")
                finally:
                    # A hot path: `_deregister`, without its call.
                    entry, self._entry = self._entry, None
                    if entry is not None:
                        IN_PROGRESS.pop(entry, None)
                    if self.when_ended:
                        self._deregister()
                    self.error = None  # its frames reference this operation and the application

    def _settle(self, around: ClaimedAround) -> None:
        """Start our span after all, unless that of the library around owns this response."""
        failed = self._is_failed_attempt and not (around.ends_cancelled and self._was_left)
        if failed or not around.own():
            parent = around.parent
            self._owner = around.failed_attempt() if failed else OURS
            self.context = self._start_span(around.name, parent, around.links, scope_of(parent))
        elif attr.OTEL_AGENTS_STREAM_ABANDONED in self.attributes:
            self.when_ended.append(around.leave_response)

    @property
    def _is_failed_attempt(self) -> bool:
        """Whether it raised or was interrupted: a response may report a failure, too."""
        return self.error is not None or self.error_type == values.ERROR_TYPE_INTERRUPTED

    @property
    def _was_left(self) -> bool:
        """Whether it was cancelled after the first chunk: no other attempt follows."""
        cancelled = self.error is not None and not isinstance(self.error, Exception)
        return cancelled and attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK in self.attributes

    def _is_held_open(self) -> bool:
        hold_open, self.hold_open = self.hold_open, None
        if hold_open is None or self.error_type is not None:
            return False
        self._held = True
        try:
            hold_open()
        except Exception:
            errors.internal_error("holding an operation open")
            self._held = False
        return self._held

    def _finalize(self) -> None:
        """Set the attributes that a subclass in this package adds before they are emitted."""

    def _emit(self) -> None:
        """Emit each part by itself, so that an error in one part costs only that part."""
        # A hot path: what every operation does is guarded here, the rest by `_guard`.
        kind, telemetry, owner, content = self._kind, self.telemetry, self._owner, self.content
        known = record = None
        if self.error_type is not None:
            self.attributes[attr.ERROR_TYPE] = self.error_type
        if self._finalizes:
            try:
                self._finalize()
            except Exception:
                errors.internal_error("describing an operation")
        if not owner.emits:
            _guard("handing an operation over", owner.receive, self.known)
            return
        if kind.measures and (owner is not OURS or telemetry.instruments.records):
            known = {**self._start_attributes, **self.attributes}
            try:
                self._measure(known)
            except Exception:
                errors.internal_error("recording metrics")
        span, emits_event = self.span, telemetry.settings.emit_event
        content_span: Span | None = span
        if isinstance(owner, ClaimedAround):
            span = content_span = owner.span
            emits_event = emits_event and not owner.library_emits_event
            _guard("completing a span", owner.receive, known or self.known)
        elif self.recording:
            attributes = self.attributes
            on_span = content.of_span() if content.enabled else None
            if on_span is not None:
                attributes, content_span = {**attributes, **on_span}, None
            try:
                if attributes:
                    set_attributes(span, attributes)
                if self.error_type is not None:
                    self._set_status(span, self.error)
            except Exception:
                errors.internal_error("describing a span")
        if kind.event is not None and emits_event:
            record = record_of(kind.event, known or self.known, self.context, self.end_time)
        if content.enabled and (record is not None or content_span is not None):
            _guard("emitting content", content.emit, content_span, record, span is not self.span)
        if record is not None:
            _guard("emitting an event", telemetry.emit, record)
        if self.error is not None and not self._error_passes:
            _guard("emitting an exception", self._emit_exception, self.error)

    def _set_status(self, span: Span, error: BaseException | None) -> None:
        description = self._gate.description(error) if error else None
        span.set_status(Status(StatusCode.ERROR, description))

    def _measure(self, known: dict[str, Any]) -> None:
        instruments = self.telemetry.instruments
        measures, owner = self._kind.measures, self._owner
        if owner is not OURS:
            failed = partial(self._measure_later, known) if self._is_failed_attempt else None
            measures = owner.measures(measures, failed, self.error)
        instruments.measure(measures, self, known)
        if attr.OTEL_AGENTS_COST in known:
            cost = known[attr.OTEL_AGENTS_COST]
            instruments.add_cost(cost, known, kinds.COMMON_ATTRIBUTES, self.context)
        if self._kind.modalities and instruments.latest:
            instruments.add_usage(known, kinds.COMMON_ATTRIBUTES, self.context)

    def _measure_later(self, known: dict[str, Any], measures: tuple[Measure, ...]) -> None:
        _guard("recording metrics", self.telemetry.instruments.measure, measures, self, known)

    def _emit_exception(self, error: BaseException) -> None:
        found = self._gate.exception_attributes(error)
        exception = events.GEN_AI_CLIENT_OPERATION_EXCEPTION
        self.telemetry.emit(record_of(exception, found, self.context, self.end_time))

    def _deregister(self) -> None:
        if self._entry is not None:
            IN_PROGRESS.pop(self._entry, None)
            self._entry = None  # before this dies: then its callback is not called
        while self.when_ended:
            _guard("calling an end callback", self.when_ended.pop(0))


def _classify(
    hook: Callable[[BaseException], _Class], error: BaseException, default: _Class
) -> _Class:
    try:
        return hook(error)
    except Exception:
        errors.internal_error("classifying an error")
        return default


def _guard(action: str, step: Callable[..., object], *args: Any) -> None:
    try:
        step(*args)
    except Exception:
        errors.internal_error(action)

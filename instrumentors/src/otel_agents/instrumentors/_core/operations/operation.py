"""The life of an operation: started with what samplers need, gathered, ended exactly once."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.context.identity import conversation_id, session_id, user_id
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.records import record_of
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import events, values

from . import in_progress

__all__ = ["Operation", "error_type"]


def error_type(error: BaseException) -> str:
    """The exception's class, as the official packages write it: qualified unless built in."""
    kind = type(error)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


class Operation:
    """One operation in progress.

    A framework's code sets what it learns in ``attributes`` and ``content``; both are read once,
    when the operation ends. ``detailed`` tells whether anybody will see attributes beyond those of
    the metrics: where it is False, do not gather them.

    Args:
        telemetry: What to emit with.
        name: The span's name, of low cardinality.
        kind: The span's kind.
        attributes: The sampling-relevant attributes, set when the span starts.
        parent: The context to work in; default is the current one.
        start_time: Nanoseconds since the epoch, for an operation that began before it was known.
    """

    __slots__ = (
        "__weakref__",
        "_ended",
        "_first",
        "_gate",
        "_place",
        "_start_counter",
        "attributes",
        "content",
        "context",
        "detailed",
        "end_time",
        "error",
        "error_type",
        "recording",
        "span",
        "start_time",
        "telemetry",
    )

    carries_conversation: ClassVar[bool] = True
    """Whether the span type has ``gen_ai.conversation.id``."""

    def __init__(
        self,
        telemetry: Telemetry,
        name: str,
        kind: SpanKind,
        attributes: dict[str, Any],
        *,
        parent: Context | None = None,
        start_time: int | None = None,
    ) -> None:
        self.telemetry = telemetry
        self._gate = telemetry.gate
        self._ended = False
        self.error: BaseException | None = None
        self.error_type: str | None = None
        self.end_time = 0
        now = time.time_ns()
        self.start_time = now if start_time is None else start_time
        self._start_counter = time.perf_counter_ns() - (now - self.start_time)
        parent = get_current() if parent is None else parent
        self.attributes: dict[str, Any] = {}
        self._first = attributes
        self.content = Content()
        self.span = self._start_span(name, kind, attributes, parent)
        self.recording = self.span.is_recording()
        self.detailed = self.recording or telemetry.settings.emit_event
        self.context = set_span_in_context(self.span, parent)
        self._inherit(parent)
        self._place = in_progress.add(self)

    def _start_span(
        self, name: str, kind: SpanKind, attributes: dict[str, Any], parent: Context
    ) -> Span:
        return self.telemetry.tracer.start_span(
            name,
            parent,
            kind,
            attributes,
            start_time=self.start_time,
            record_exception=False,
            set_status_on_exception=False,
        )

    def _inherit(self, parent: Context) -> None:
        for key, value in (
            (attr.GEN_AI_CONVERSATION_ID, self.carries_conversation and conversation_id(parent)),
            (attr.USER_ID, user_id(parent)),
            (attr.SESSION_ID, session_id(parent)),
        ):
            if value:
                self.attributes[key] = value

    # What a call or a stream reports (`calls.Running`).

    def returned(self, value: Any) -> Any:
        """The call returned ``value``: record it and end."""
        self.respond(value)
        self.end()
        return value

    def respond(self, value: Any) -> None:
        """Gather from the result; for frameworks to override."""

    def observe(self, value: Any) -> None:
        """Gather from a result on its way to somebody else; an error of ours ends here."""
        try:
            self.respond(value)
        except Exception:
            errors.internal_error("recording a response")

    def chunk(self, item: Any) -> object:
        """Gather from one item of a stream; for frameworks to override."""
        return None

    def exhausted(self, value: Any) -> None:
        """The stream ended by itself."""
        self.end()

    def abandoned(self) -> None:
        """The caller left the stream before its end, which is no error."""
        self.attributes[attr.OTEL_AGENTS_STREAM_ABANDONED] = True
        self.end()

    def failed(self, error: BaseException) -> None:
        """The call or the stream raised ``error``; cancellation is an error too."""
        self.error = error
        self.error_type = error_type(error)
        self.end()

    def interrupt(self) -> None:
        """The process is told to end: end with what is known by now; nothing if it has ended."""
        if not self._ended:
            self.error_type = values.ERROR_TYPE_INTERRUPTED
            self.end()

    def discard(self) -> None:
        """Nothing has happened after all: the span, which never ends, goes to nobody."""
        if not self._ended:
            self._ended = True
            in_progress.remove(self._place)

    def reject(self, code: str | None) -> None:
        """The provider answered with an error that raises nothing; ``code`` is its own name.

        Does not end the operation.
        """
        self.error_type = code or values.ERROR_TYPE_OTHER

    @property
    def duration(self) -> float:
        """Seconds from start to end; the same as the span's."""
        return (self.end_time - self.start_time) / 1e9

    @property
    def error_attributes(self) -> dict[str, Any]:
        """``error.type`` after an error, for the metrics."""
        return {attr.ERROR_TYPE: self.error_type} if self.error_type is not None else {}

    def elapsed(self) -> int:
        """Nanoseconds since the start, by a clock that does not jump."""
        return time.perf_counter_ns() - self._start_counter

    def end(self) -> None:
        """End: attributes, status, content, metrics, events, span. The second call does nothing."""
        if self._ended:
            return
        self._ended = True
        self.end_time = self.start_time + max(self.elapsed(), 0)
        try:
            self._finish()
        finally:
            self.span.end(self.end_time)
            in_progress.remove(self._place)

    def _finish(self) -> None:
        if self.error_type is not None:
            self.attributes[attr.ERROR_TYPE] = self.error_type
        if self.recording:
            # Before the content: should its conversion fail, the span still tells the rest.
            self.span.set_attributes(self.attributes)
            if self.error_type is not None:
                description = self._gate.description(self.error) if self.error else None
                self.span.set_status(Status(StatusCode.ERROR, description))
        self.measure()
        self._tell()
        if self.error is not None:
            self._emit_exception(self.error)

    def measure(self) -> None:
        """Record this operation's metrics; for each operation to override."""

    def _tell(self) -> None:
        """Set the content on the span; operations with a details event emit it here."""
        if self._gate.wanted:
            self._gate.tell(self.content, self.span, None)

    def _emit_exception(self, error: BaseException) -> None:
        record = record_of(
            events.GEN_AI_CLIENT_OPERATION_EXCEPTION,
            self._gate.exception_attributes(error),
            self.context,
            self.end_time,
        )
        self.telemetry.emit(record)

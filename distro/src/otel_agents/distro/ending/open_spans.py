"""The spans that are open, so that the process's end can end them; none is kept alive by it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from weakref import ref

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import Status, StatusCode

from otel_agents.instrumentors import hosting
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

__all__ = ["OpenSpans"]

_SPAN_ID: Final = 1  # of the tuple that a span's context is; its property costs more than the rest
_SWEEP: Final = 1000
_SPEAKERS: Final = ("opentelemetry.sdk.trace", "opentelemetry.sdk.metrics._internal")


class OpenSpans(SpanProcessor):
    """Knows the recording spans of this process between their start and their end."""

    def __init__(self) -> None:
        self._open: dict[int, ref[Span]] = {}
        self._sweep_at = _SWEEP
        hosting.renew_after_fork(self._open.clear)  # they are the parent's to end

    @hosting.guarded("knowing open spans")
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Know ``span``."""
        context: Any = span.context
        self._open[context[_SPAN_ID]] = ref(span)
        if len(self._open) > self._sweep_at:
            self._sweep()

    @hosting.guarded("knowing open spans")
    def on_end(self, span: ReadableSpan) -> None:
        """Forget ``span``."""
        context: Any = span.context
        self._open.pop(context[_SPAN_ID], None)

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Nothing is kept here; older SDKs take their default for a failure."""
        return True

    def __len__(self) -> int:
        return len(self._spans())

    @hosting.guarded("ending open spans")
    def interrupt(self) -> None:
        """The process is told to end: end what is open with ``error.type``."""
        self._end_all(hosting.interrupt)

    @hosting.guarded("ending open spans")
    def leave(self) -> None:
        """The program is over: a stream that it left unread is abandoned, the rest interrupted."""
        unread = hosting.streams_in_progress()
        known = {id(stream) for stream in unread}
        operations = {id(operation) for operation in hosting.operations_in_progress()}
        for stream in reversed(unread):
            if id(stream) not in operations:
                hosting.abandon(stream)

        def end(operation: Any) -> None:
            if id(operation) in known:
                hosting.abandon(operation)
            hosting.interrupt(operation)  # what has ended by now, or is held open, is not in error

        self._end_all(end)

    def _end_all(self, end: Callable[[Any], object]) -> None:
        """End children before their parents, operations of ours by ``end``.

        Those end with all that they know, and are measured; also those that are not sampled. The
        application may go on meanwhile: what the SDK says about its calls on spans that have ended
        here is not for its user.
        """
        for name in _SPEAKERS:
            logging.getLogger(name).addFilter(_nothing_is_told)
        operations = list(hosting.operations_in_progress())
        by_span = {one.span.get_span_context().span_id: one for one in operations}
        for span_id, span in reversed(self._spans().items()):
            if span_id in by_span:
                end(by_span[span_id])
            elif not hosting.is_discarded(span):
                hosting.attempt("ending open spans", partial(_end, span), None)
        for operation in reversed(operations):  # those without a span, or not sampled
            end(operation)

    def _spans(self) -> dict[int, Span]:
        spans = ((span_id, reference()) for span_id, reference in list(self._open.items()))
        return {span_id: span for span_id, span in spans if span is not None}

    def _sweep(self) -> None:
        for span_id, reference in list(self._open.items()):
            if reference() is None:
                self._open.pop(span_id, None)
        self._sweep_at = max(_SWEEP, 2 * len(self._open))


def _end(span: Span) -> None:
    span.set_attribute(attr.ERROR_TYPE, values.ERROR_TYPE_INTERRUPTED)
    span.set_status(Status(StatusCode.ERROR))
    span.end()


def _nothing_is_told(record: logging.LogRecord) -> bool:
    return False

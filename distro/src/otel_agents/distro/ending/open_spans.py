"""The open spans of a process, by weak reference, so that they can be ended at exit."""

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

_SPAN_ID: Final = (
    1  # index in the tuple SpanContext; its property costs more than the rest of `on_start`
)
_PRUNE_AT: Final = 1000
_SDK_LOGGERS: Final = ("opentelemetry.sdk.trace", "opentelemetry.sdk.metrics._internal")


class OpenSpans(SpanProcessor):
    """Track the recording spans of this process from start to end."""

    def __init__(self) -> None:
        self._open: dict[int, ref[Span]] = {}
        self._prune_at = _PRUNE_AT
        hosting.renew_after_fork(self._open.clear)  # the parent ends its own

    @hosting.guarded("tracking open spans")
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Track ``span``, and show it to the instrumentors."""
        context: Any = span.context
        self._open[context[_SPAN_ID]] = ref(span)
        if len(self._open) > self._prune_at:
            self._prune()
        hosting.notice_span(span, parent_context)

    @hosting.guarded("tracking open spans")
    def on_end(self, span: ReadableSpan) -> None:
        """Forget ``span``."""
        context: Any = span.context
        self._open.pop(context[_SPAN_ID], None)

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Return True: nothing is queued here."""
        # opentelemetry-sdk 1.34 inherits None here, which a provider takes for a failure:
        # https://github.com/open-telemetry/opentelemetry-python/issues/4631
        return True

    def __len__(self) -> int:
        return len(self._spans())

    @hosting.guarded("ending open spans")
    def interrupt(self) -> None:
        """End what is open as interrupted: a signal terminates the process."""
        self._end_all(hosting.interrupt)

    @hosting.guarded("ending open spans")
    def end_at_exit(self) -> None:
        """End what is open at exit: streams left unread as abandoned, the rest as interrupted."""
        unread = hosting.streams_in_progress()
        unread_ids = {id(stream) for stream in unread}
        operations = {id(operation) for operation in hosting.operations_in_progress()}
        for stream in reversed(unread):
            if id(stream) not in operations:
                hosting.abandon(stream)

        def end(operation: Any) -> None:
            if id(operation) in unread_ids:
                hosting.abandon(operation)
            hosting.interrupt(operation)  # has no effect on what has ended already or is held open

        self._end_all(end)

    def _end_all(self, end: Callable[[Any], object]) -> None:
        """End children before their parents; end our operations by ``end``.

        Operations, sampled or not, end with all that they know and record their metrics. The
        application may still use spans that end here: the SDK's warnings about that are hidden.
        """
        for name in _SDK_LOGGERS:
            logging.getLogger(name).addFilter(_suppress)
        operations = list(hosting.operations_in_progress())
        by_span = {one.span.get_span_context().span_id: one for one in operations}
        for span_id, span in reversed(self._spans().items()):
            if span_id in by_span:
                end(by_span[span_id])
            elif not hosting.is_discarded(span):
                hosting.call_foreign("ending open spans", partial(_end, span), None)
        for operation in reversed(operations):  # operations without a recording span
            end(operation)

    def _spans(self) -> dict[int, Span]:
        spans = ((span_id, reference()) for span_id, reference in list(self._open.items()))
        return {span_id: span for span_id, span in spans if span is not None}

    def _prune(self) -> None:
        for span_id, reference in list(self._open.items()):
            if reference() is None:
                self._open.pop(span_id, None)
        self._prune_at = max(_PRUNE_AT, 2 * len(self._open))


def _end(span: Span) -> None:
    span.set_attribute(attr.ERROR_TYPE, values.ERROR_TYPE_INTERRUPTED)
    span.set_status(Status(StatusCode.ERROR))
    span.end()


def _suppress(record: logging.LogRecord) -> bool:
    return False

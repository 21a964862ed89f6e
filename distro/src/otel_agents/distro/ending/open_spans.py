"""The spans that are open, so that a signal can end them; none is kept alive by being known."""

from __future__ import annotations

import logging
from collections.abc import Callable
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
    """Knows the recording spans of this process between their start and their end.

    Args:
        first: Called when the first span of a process starts.
    """

    def __init__(self, first: Callable[[], object]) -> None:
        self._first = first
        self._open: dict[int, ref[Span]] = {}
        self._sweep_at = _SWEEP
        self._begun = False
        hosting.renew_after_fork(self.renew)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Know ``span``."""
        context: Any = span.context
        if not self._begun:
            self._begun = True
            self._first()
        self._open[context[_SPAN_ID]] = ref(span)
        if len(self._open) > self._sweep_at:
            self._sweep()

    def on_end(self, span: ReadableSpan) -> None:
        """Forget ``span``."""
        context: Any = span.context
        self._open.pop(context[_SPAN_ID], None)

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Nothing is kept here; older SDKs take their default for a failure."""
        return True

    def __len__(self) -> int:
        return len(self._spans())

    def interrupt(self) -> None:
        """End what is open with ``error.type``, children before their parents.

        Operations of ours end with all that they know, and are measured; also those that are not
        sampled. The application may go on meanwhile: what the SDK says about its calls on spans
        that have ended here is not for its user.
        """
        for name in _SPEAKERS:
            logging.getLogger(name).addFilter(_nothing_is_told)
        operations = {
            operation.span.get_span_context().span_id: operation
            for operation in hosting.operations_in_progress()
        }
        for span_id, span in reversed(self._spans().items()):
            operation = operations.pop(span_id, None)
            if operation is None:
                _end(span)
            else:
                hosting.interrupt(operation)
        for operation in reversed(operations.values()):
            hosting.interrupt(operation)

    def renew(self) -> None:
        """In a forked child: they are the parent's to end."""
        self._open.clear()
        self._begun = False

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

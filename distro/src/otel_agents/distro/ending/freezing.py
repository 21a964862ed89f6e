"""Processes that are frozen between events (AWS Lambda): they flush after each event."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from otel_agents.distro.environment import Environment
from otel_agents.instrumentors.hosting import Bounded, guarded

__all__ = ["FlushAtRoot", "is_frozen"]

_VARIABLES: Final = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API")
_BACKOFF: Final = 30.0
_MAX_TRACES: Final = 64


def is_frozen(environment: Environment) -> bool:
    """Return whether this process is frozen between events."""
    return environment.text(*_VARIABLES) is not None


class FlushAtRoot(SpanProcessor):
    """Flush when a root span (no parent in this process) ends, or a span whose root has ended.

    After a failed flush it waits 30 seconds: a Collector that is down costs one timeout, not one
    per event.

    Args:
        flush: Sends all signals within the seconds that it gets; returns whether all was sent.
        timeout: Those seconds.
    """

    def __init__(self, flush: Callable[[float], bool], timeout: float) -> None:
        self._flush = flush
        self._timeout = timeout
        self._not_before = 0.0
        self._without_root: Bounded[int, None] = Bounded(_MAX_TRACES, inherited=True)
        """The traces whose root has ended, the latest ones."""

    @guarded("noticing the start of an event")
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Notice a root: the next event may be of the same trace."""
        if _is_root(span):
            self._without_root.pop(_trace_id(span))

    @guarded("sending before a freeze")
    def on_end(self, span: ReadableSpan) -> None:
        """Flush after a root, and after what follows from it."""
        if not self._is_last(span) or time.monotonic() < self._not_before:
            return
        if not self._flush(self._timeout):
            self._not_before = time.monotonic() + _BACKOFF

    def _is_last(self, span: ReadableSpan) -> bool:
        """Return whether no root will end after ``span``."""
        trace_id = _trace_id(span)
        if not _is_root(span):
            return trace_id in self._without_root
        self._without_root.put(trace_id, None)
        return True

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Return True: nothing is queued here."""
        # opentelemetry-sdk 1.34 inherits None here, which a provider takes for a failure:
        # https://github.com/open-telemetry/opentelemetry-python/issues/4631
        return True


def _trace_id(span: ReadableSpan) -> int:
    return span.context.trace_id if span.context else 0


def _is_root(span: ReadableSpan) -> bool:
    return span.parent is None or span.parent.is_remote

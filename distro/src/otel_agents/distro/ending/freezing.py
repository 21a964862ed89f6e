"""Processes that are frozen between events (AWS Lambda): they flush after each event."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from otel_agents.distro.environment import Environment
from otel_agents.instrumentors.hosting import guarded

__all__ = ["FlushAtRoot", "is_frozen"]

_VARIABLES: Final = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API")
_BACKOFF: Final = 30.0


def is_frozen(environment: Environment) -> bool:
    """Return whether this process is frozen between events."""
    return environment.text(*_VARIABLES) is not None


class FlushAtRoot(SpanProcessor):
    """Flush when a root span (no parent in this process) ends.

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

    @guarded("sending before a freeze")
    def on_end(self, span: ReadableSpan) -> None:
        """Flush after a root."""
        root = span.parent is None or span.parent.is_remote
        if root and time.monotonic() >= self._not_before and not self._flush(self._timeout):
            self._not_before = time.monotonic() + _BACKOFF

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Return True: nothing is queued here."""
        # opentelemetry-sdk 1.34 inherits None here, which a provider takes for a failure:
        # https://github.com/open-telemetry/opentelemetry-python/issues/4631
        return True

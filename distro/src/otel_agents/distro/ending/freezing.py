"""A process that is frozen between two events, as AWS Lambda does: what it has is sent before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from otel_agents.distro.environment import Environment
from otel_agents.instrumentors.hosting import guarded

__all__ = ["FlushAtRoot", "is_frozen"]

_VARIABLES: Final = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API")
_PAUSE: Final = 30.0


def is_frozen(environment: Environment) -> bool:
    """Whether this process is frozen when it has handled an event."""
    return environment.text(*_VARIABLES) is not None


class FlushAtRoot(SpanProcessor):
    """Flushes when a span without a parent in this process ends.

    After a flush that failed there is none for a while: a Collector that is away costs one
    time-out, not one per event.

    Args:
        flush: Sends all signals, in the seconds that it is given; whether that was all.
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
            self._not_before = time.monotonic() + _PAUSE

    def force_flush(self, timeout_millis: int | None = None) -> bool:
        """Nothing is kept here; older SDKs take their default for a failure."""
        return True

"""How a call or a stream reports to its operation; internal errors stop here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

__all__ = [
    "HIDDEN",
    "CallObserver",
    "Observation",
    "StreamObserver",
    "end",
    "report",
    "report_chunk",
    "report_exhausted",
    "report_failure",
]

HIDDEN: Final = object()
"""Returned by `StreamObserver.chunk` to hide an item from the caller."""


class StreamObserver(Protocol):
    """Receives the progress of a stream: an operation in progress. Any method may raise."""

    @property
    def context(self) -> Context:
        """Current while an item is fetched."""
        ...

    @context.setter
    def context(self, context: Context) -> None: ...

    def chunk(self, item: Any) -> object:
        """Record ``item`` of the stream.

        Return `HIDDEN` to hide it from the caller. Return a function to have it called with each
        later item first: if it returns True, it has recorded the item, and this is not called. That
        is for the items that nearly all are; it must not raise.
        """
        ...

    def exhausted(self, value: Any) -> None:
        """Record the end of the stream; ``value`` is what a generator returned."""
        ...

    def abandoned(self) -> None:
        """Record that the caller closed, left or dropped the stream before its end."""
        ...

    def failed(self, error: BaseException) -> None:
        """Record ``error``, which the call or the stream raised."""
        ...

    def end(self) -> None:
        """End now with what is known; do nothing if the operation has ended."""
        ...


class CallObserver(StreamObserver, Protocol):
    """Receives the progress of a call: an operation in progress.

    Any method may raise: the error is logged and the call goes on. Every operation is one:

        >>> from otel_agents.instrumentors import Call, CallObserver, InvokeAgent, Telemetry
        >>> def run(telemetry: Telemetry, call: Call) -> CallObserver | None:
        ...     if call.argument(0, "prompt") is None:
        ...         return None
        ...     return InvokeAgent(telemetry, call.instance.name)
    """

    def returned(self, value: Any) -> Any:
        """Record the result; return what the caller gets: the result, or a transparent proxy."""
        ...


class Observation:
    """Runs a call in ``context`` and passes its outcome to functions; a `CallObserver`.

    Example:
        >>> from otel_agents.instrumentors import Observation, Patch
        >>> def close(telemetry, call):
        ...     return Observation(ended=call.instance.release)
        >>> patch = Patch("example.agents:Agent.close", close)

    Args:
        context: Current while the call runs; the current one by default. A function returns it when
            the call really runs: a coroutine or a generator may wait for that in another context.
        returned: Called with the result.
        failed: Called with what the call raised.
        ended: Called in either case, after the others.
    """

    def __init__(
        self,
        context: Context | Callable[[], Context] | None = None,
        *,
        returned: Callable[[Any], object] | None = None,
        failed: Callable[[BaseException], object] | None = None,
        ended: Callable[[], object] | None = None,
    ) -> None:
        self._context = get_current() if context is None else context
        self._returned = returned
        self._failed = failed
        self._ended = ended

    @property
    def context(self) -> Context:
        """Current while the call runs."""
        context = self._context
        return context if isinstance(context, Context) else context()

    @context.setter
    def context(self, context: Context) -> None:
        self._context = context

    def returned(self, value: Any) -> Any:
        """Record the result."""
        if self._returned is not None:
            self._returned(value)
        self.end()
        return value

    def chunk(self, item: Any) -> object:
        """Ignore an item of a stream."""
        return None

    def exhausted(self, value: Any) -> None:
        """End: the stream is at its end."""
        self.end()

    def abandoned(self) -> None:
        """End: the caller left the stream."""
        self.end()

    def failed(self, error: BaseException) -> None:
        """Record what the call raised."""
        if self._failed is not None:
            self._failed(error)
        self.end()

    def end(self) -> None:
        """End the observation once."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()


def report_chunk(observer: StreamObserver, item: Any) -> bool:
    """Report a chunk; return whether to hide it from the caller."""
    try:
        return observer.chunk(item) is HIDDEN
    except Exception:
        errors.internal_error("recording a chunk")
        return False


def report_failure(observer: StreamObserver, error: BaseException) -> None:
    """Report ``error``; if that fails, end the operation."""
    report(observer, lambda: observer.failed(error))


def report_exhausted(observer: StreamObserver, value: Any = None) -> None:
    """Report the end of a stream; ``value`` is what a generator returned."""
    report(observer, lambda: observer.exhausted(value))


def end(observer: StreamObserver) -> None:
    """End an operation after an internal error."""
    try:
        observer.end()
    except Exception:
        errors.internal_error("ending an operation")


def report(observer: StreamObserver, step: Callable[[], None]) -> None:
    """Run ``step``, a report to ``observer``; if it fails, end the operation."""
    try:
        step()
    except Exception:
        errors.internal_error("ending an operation")
        end(observer)


hide_frames(globals())

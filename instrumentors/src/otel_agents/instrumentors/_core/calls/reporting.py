"""How a call or a stream reports to its operation, so that an error of ours stays ours."""

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
"""Returned by `StreamObserver.chunk` for an item that the caller must not see."""


class StreamObserver(Protocol):
    """What a stream reports to: an operation in progress. Any method may raise."""

    context: Context
    """Current while an item is fetched."""

    def chunk(self, item: Any) -> object:
        """The stream gave ``item``; returns `HIDDEN` to keep it from the caller."""
        ...

    def exhausted(self, value: Any) -> None:
        """The stream is at its end; ``value`` is what a generator returned."""
        ...

    def abandoned(self) -> None:
        """The caller closed, left or dropped the stream before its end."""
        ...

    def failed(self, error: BaseException) -> None:
        """The call or the stream raised ``error``."""
        ...

    def end(self) -> None:
        """End now with what is known; does nothing if the operation has ended."""
        ...


class CallObserver(StreamObserver, Protocol):
    """An operation in progress, as a call reports to it.

    Any method may raise: the call goes on as if it had not been there.
    """

    def returned(self, value: Any) -> Any:
        """The call has its result; returns what the caller gets: it, or a transparent proxy."""
        ...


class Observation:
    """Runs a call in ``context``, and reports to functions what becomes of it (`CallObserver`).

    Args:
        context: Current while the call runs; default is the current one.
        returned: Called with the result.
        failed: Called with what the call raised.
        ended: Called in either case, after the others.
    """

    def __init__(
        self,
        context: Context | None = None,
        *,
        returned: Callable[[Any], object] | None = None,
        failed: Callable[[BaseException], object] | None = None,
        ended: Callable[[], object] | None = None,
    ) -> None:
        self.context = get_current() if context is None else context
        self._returned = returned
        self._failed = failed
        self._ended = ended

    def returned(self, value: Any) -> Any:
        """The call has its result."""
        if self._returned is not None:
            self._returned(value)
        self.end()
        return value

    def chunk(self, item: Any) -> object:
        """One item of a stream."""
        return None

    def exhausted(self, value: Any) -> None:
        """The stream is at its end."""
        self.end()

    def abandoned(self) -> None:
        """The caller left the stream."""
        self.end()

    def failed(self, error: BaseException) -> None:
        """The call raised."""
        if self._failed is not None:
            self._failed(error)
        self.end()

    def end(self) -> None:
        """The call is over."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()


def report_chunk(observer: StreamObserver, item: Any) -> bool:
    """Report a chunk; whether the caller must not see it."""
    try:
        return observer.chunk(item) is HIDDEN
    except Exception:
        errors.internal_error("recording a chunk")
        return False


def report_failure(observer: StreamObserver, error: BaseException) -> None:
    """Report ``error``; an error of ours on the way ends the operation."""
    report(observer, lambda: observer.failed(error))


def report_exhausted(observer: StreamObserver, value: Any = None) -> None:
    """Report the end of a stream; ``value`` is what a generator returned."""
    report(observer, lambda: observer.exhausted(value))


def end(observer: StreamObserver) -> None:
    """End an operation that an error of ours has cut short."""
    try:
        observer.end()
    except Exception:
        errors.internal_error("ending an operation")


def report(observer: StreamObserver, step: Callable[[], None]) -> None:
    """Run ``step``, a report to ``observer``."""
    try:
        step()
    except Exception:
        errors.internal_error("ending an operation")
        end(observer)


hide_frames(globals())

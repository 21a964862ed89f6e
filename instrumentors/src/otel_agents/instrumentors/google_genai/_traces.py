"""One trace for one call of the application that sends several requests.

No operation of the conventions is such a call, so it has no span. Where no span is around it, its
first request is the root: the functions, and the requests with their results, follow from its
response and are its children. Its span has ended by then, as that of what started them often has.
"""

from __future__ import annotations

from typing import Final

from opentelemetry.context import Context, get_current
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    get_current_span,
    set_span_in_context,
)

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["parent", "share_trace", "started"]


class _First:
    """The span of the first request of a call, once it has one."""

    __slots__ = ("span",)

    def __init__(self) -> None:
        self.span: SpanContext | None = None


_FIRST: Final = Slot[_First]("google-genai-first-request", _First)


def share_trace(telemetry: Telemetry, call: Call) -> Observation | None:
    """Start at a method that sends several requests, unless they share a trace already."""
    return None if _is_shared() else Observation(_context)


def _context() -> Context:
    """Return the context of the call: by the time it runs, a span may be around it."""
    return get_current() if _is_shared() else _FIRST.set(_First())


def _is_shared() -> bool:
    return _in_span() or _FIRST.get() is not None


def _in_span() -> bool:
    return get_current_span().get_span_context().is_valid


def parent() -> Context | None:
    """Return the parent of a request or a function; None if that is the current context."""
    first = _FIRST.get()
    if first is None or first.span is None or _in_span():
        return None
    return set_span_in_context(NonRecordingSpan(first.span))


def started(operation: Operation) -> None:
    """Note that a request started, which may be the first one."""
    first, span = _FIRST.get(), operation.span.get_span_context()
    if first is not None and first.span is None and span.is_valid and not _in_span():
        first.span = span

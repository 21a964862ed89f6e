"""One trace for one call of the application that sends several requests.

No operation of the conventions is such a call, so it has no span. Where no span is around it, its
first request is the root: the functions, and the requests with their results, follow from its
response and are its children. Its span has ended by then, as that of what started them often has.
"""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context, get_current
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanContext,
    set_span_in_context,
)

from otel_agents.instrumentors._core.calls.call import Bindable, Call
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.calls.watching import within_by_arguments
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["parent", "share_trace", "share_trace_later", "started"]


class _First:
    """The span of the first request of a call, once it has one."""

    __slots__ = ("span",)

    def __init__(self) -> None:
        self.span: SpanContext | None = None


_SPAN: Final = next(iter(set_span_in_context(INVALID_SPAN, Context())))
"""OpenTelemetry's key of the current span: its function takes seven calls to look it up."""
_FIRST: Final = Slot[_First]("google-genai-first-request", _First)


def _share_trace(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Context | None:
    context = get_current()
    return None if _is_shared(context) else _FIRST.set(_First(), context)


share_trace: Final[Bindable] = within_by_arguments(_share_trace)
"""Lets what a plain method sends share a trace, unless it does already."""


def share_trace_later(telemetry: Telemetry, call: Call) -> Observation | None:
    """Start at such a coroutine or generator: by the time it runs, a span may be around it."""
    return None if _is_shared(get_current()) else Observation(_context)


def _context() -> Context:
    context = get_current()
    return context if _is_shared(context) else _FIRST.set(_First(), context)


def _is_shared(context: Context) -> bool:
    return _FIRST.key in context or _in_span(context)


def _in_span(context: Context) -> bool:
    span = context.get(_SPAN)
    return isinstance(span, Span) and span.get_span_context().is_valid


def parent(context: Context) -> Context | None:
    """Return the parent of a request or a function in a context; None if that is the context."""
    first: Any = context.get(_FIRST.key)
    if first is None or first.span is None or _in_span(context):
        return None
    return set_span_in_context(NonRecordingSpan(first.span), context)


def started(operation: Operation, context: Context) -> None:
    """Note that a request started in a context, which may be the first one."""
    first: Any = context.get(_FIRST.key)
    if first is not None and first.span is None and not _in_span(context):
        span = operation.span.get_span_context()
        first.span = span if span.is_valid else None

"""References to what is judged later, perhaps by another process: a W3C traceparent and more.

    00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01;chatcmpl-7

It may come back from a web client, so that nothing in it is trusted but its form.
"""

from __future__ import annotations

import re
from typing import Any, Final

from opentelemetry.context import Context, get_current
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

__all__ = ["context_of", "current_reference", "reference_to"]

_FORM: Final = re.compile(
    r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?:;(?P<response>[\x21-\x7e]{1,256}))?"
)


def current_reference() -> str:
    """Return the reference to the current span; empty if there is none."""
    return _reference(get_current_span().get_span_context(), None)


def reference_to(observer: Any) -> str:
    """Return the reference to an operation, or to what has reported a model call.

    A model call that nobody has reported yet has no span: then it is that to the current span.
    """
    reported: Any = getattr(observer, "reported", observer)
    span: Any = getattr(reported, "span", None)
    response: str | None = getattr(reported, "response_id", None)
    if span is None or not span.get_span_context().is_valid:
        span = get_current_span()
    return _reference(span.get_span_context(), response)


def _reference(span: SpanContext, response_id: str | None) -> str:
    if not span.is_valid:
        return ""
    text = f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
    whole = f"{text};{response_id}"
    return whole if response_id and _FORM.fullmatch(whole) else text


def context_of(reference: object) -> tuple[Context, str | None] | None:
    """Return the context of the span that is referred to, and the response's id.

    The identity of the current context stays. None if it is no reference. Within the current trace
    the span is none of another process: else what is judged in the middle of a trace would be
    the root of a trace of its own to whoever reads only this process's spans.
    """
    found = _FORM.fullmatch(reference) if isinstance(reference, str) else None
    if found is None:
        return None
    flags = TraceFlags(int(found["flags"], 16))
    trace_id = int(found["trace"], 16)
    is_remote = trace_id != get_current_span().get_span_context().trace_id
    span = SpanContext(trace_id, int(found["span"], 16), is_remote, flags)
    if not span.is_valid:
        return None
    return set_span_in_context(NonRecordingSpan(span), get_current()), found["response"]

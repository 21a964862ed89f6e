"""What flows with the context: who the work is for, and what is recorded of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from opentelemetry import context as api
from opentelemetry.context import Context, set_value
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from otel_agents.instrumentors._core.context.scope import with_scope
from otel_agents.instrumentors._core.telemetry.identity import with_identity

__all__ = ["CONTEXTS"]

_SUPPRESSED: Final[str] = getattr(api, "_SUPPRESS_INSTRUMENTATION_KEY", "suppress_instrumentation")


def _identity(options: Mapping[str, Any]) -> Context:
    return with_identity(**{name: options.get(name) for name in _NAMES})


_NAMES: Final = ("conversation", "session", "user", "tags")


def _content(options: Mapping[str, Any]) -> Context:
    return with_scope(records_content=False) if not options.get("enabled") else api.get_current()


def _untraced(options: Mapping[str, Any]) -> Context:
    """Return a context without instrumentation, in a span that is not sampled.

    Whatever starts a span in it by itself, in this process or behind a request, is not sampled
    either, unless its sampler ignores the parent's decision.
    """
    current = get_current_span().get_span_context()
    trace_id = current.trace_id or random.getrandbits(128) or 1
    span_id = current.span_id or random.getrandbits(64) or 1
    unsampled = SpanContext(trace_id, span_id, False, TraceFlags(TraceFlags.DEFAULT))
    return set_value(_SUPPRESSED, True, set_span_in_context(NonRecordingSpan(unsampled)))


CONTEXTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Context]]] = MappingProxyType(
    {"identity": _identity, "content": _content, "untraced": _untraced}
)
"""What each function puts into the context."""

"""The framework's own spans of model calls, and the claims on them.

A span starts right before ``stream_messages``. In 1.0 it does not become the current one.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import ReferenceType, ref

from opentelemetry.trace import Span

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.claims import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from strands.telemetry.tracer import Tracer

__all__ = ["model_call", "span_started"]

_LIBRARY: Final = ForeignLibrary(("strands.telemetry.tracer",), leaves_open=True)


class _Started(NamedTuple):
    span: ReferenceType[Span]
    tracer: object


_STARTED: Final[ContextVar[_Started | None]] = ContextVar("otel_agents_strands", default=None)


def span_started(telemetry: Telemetry, call: Call, span: Span) -> None:
    """Keep the span that ``start_model_invoke_span(…)`` returns for the call that follows."""
    tracer: Tracer = call.instance
    _STARTED.set(_Started(ref(span), tracer.tracer))


def model_call(telemetry: Telemetry, call: Call) -> ForeignClaim | None:
    """Claim ``stream_messages(…)`` for the span that was started before it."""
    started = _STARTED.get()
    span = started.span() if started is not None else None
    if started is None or span is None:
        return None
    _STARTED.set(None)
    return ForeignClaim(_LIBRARY, tracer=started.tracer, span=span)

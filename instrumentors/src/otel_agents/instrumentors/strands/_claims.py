"""The framework's own spans of model calls, and the claims on them.

A span starts right before ``stream_messages``. In 1.0 it does not become the current one.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import ReferenceType, ref

from opentelemetry.trace import Span

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import after
from otel_agents.instrumentors._core.context.claims import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.patching.foreign import claims
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from strands.telemetry.tracer import Tracer

__all__ = ["rows"]

_LIBRARY: Final = ForeignLibrary(("strands.telemetry.tracer",), leaves_open=True)


def rows() -> Iterable[Patch]:
    """Yield patches of what starts the span of a model call, and of what makes the call."""
    loop = "strands.event_loop"
    yield Patch("strands.telemetry.tracer:Tracer.start_model_invoke_span", after(_span_started))
    yield Patch(f"{loop}.streaming:stream_messages", claims(_model_call))
    yield Patch(f"{loop}.event_loop:stream_messages", claims(_model_call))


class _Started(NamedTuple):
    span: ReferenceType[Span]
    tracer: object


_STARTED: Final[ContextVar[_Started | None]] = ContextVar("otel_agents_strands", default=None)


def _span_started(telemetry: Telemetry, call: Call, span: Span) -> None:
    """Keep the span that ``start_model_invoke_span(…)`` returns for the call that follows."""
    tracer: Tracer = call.instance
    _STARTED.set(_Started(ref(span), tracer.tracer))


def _model_call(telemetry: Telemetry, call: Call) -> ForeignClaim | None:
    """Claim ``stream_messages(…)`` for the span that was started before it."""
    started = _STARTED.get()
    span = started.span() if started is not None else None
    if started is None or span is None:
        return None
    _STARTED.set(None)
    return ForeignClaim(_LIBRARY, tracer=started.tracer, span=span)

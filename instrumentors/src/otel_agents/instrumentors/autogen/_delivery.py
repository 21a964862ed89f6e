"""Messages between agents: in which context a runtime does what comes of them."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context, get_current
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.patching.isolation import (
    context_without_ours,
    with_isolated_span,
)
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._tracing import has_own_tracer

__all__ = ["addressed", "delivered", "published", "publishing_beside", "publishing_within"]

_CARRIED: Final = "_otel_agents_context"
"""The attribute of a message's metadata that holds its sender's context.

No `Handover`: a runtime's queue has no bound, and what a handler drops is never delivered.
"""
_BESIDE: Final = Slot("autogen-published", Context)
"""Where the receivers of a published message work, as nobody waits for them."""


def addressed(telemetry: Telemetry, call: Call, metadata: Any) -> None:
    """``get_telemetry_envelope_metadata()``, called where a message is sent.

    A tracer of the application's own links to what it would see without us.
    """
    beside = context_without_ours()
    if beside is not None:
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, beside)
        metadata.traceparent = carrier.get("traceparent")
        metadata.tracestate = carrier.get("tracestate")
    setattr(metadata, _CARRIED, get_current())


def delivered(telemetry: Telemetry, call: Call) -> Context | None:
    """``_process_send(envelope)`` and its like: what comes of a message is its sender's doing.

    A runtime works in the context in which it was started, which may be over long ago.
    """
    envelope: Any = call.argument(0, "message_envelope")
    context = getattr(envelope.metadata, _CARRIED, None)
    if not isinstance(context, Context):
        return None
    return with_isolated_span(context) if has_own_tracer(call.instance) else context


def published(telemetry: Telemetry, call: Call) -> Context | None:
    """``_process_publish(envelope)``: a message to whoever has subscribed."""
    context = delivered(telemetry, call)
    beside = _BESIDE.get(context) if context is not None else None
    if context is None or beside is None:
        return context
    return with_isolated_span(beside) if has_own_tracer(call.instance) else beside


def publishing_beside(outer: Context, context: Context) -> Context:
    """``context`` of an agent of the core that was sent a message in ``outer``.

    What it publishes goes on in ``outer``; where that has no span, the agent's is the first one.
    """
    first = not get_current_span(outer).get_span_context().is_valid
    return _BESIDE.set(context if first else outer, context)


def publishing_within(context: Context) -> Context:
    """``context`` of what waits for all that is published there, as a team does."""
    return _BESIDE.set(None, context)

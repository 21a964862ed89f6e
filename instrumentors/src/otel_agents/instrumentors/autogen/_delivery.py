"""Messages between agents: the context in which a runtime processes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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

if TYPE_CHECKING:
    from autogen_core._telemetry import EnvelopeMetadata

__all__ = [
    "on_envelope_metadata",
    "publishing_in",
    "publishing_within",
    "receiver_context",
    "sender_context",
]

_CARRIED: Final = "_otel_agents_context"
"""The attribute of a message's metadata that holds its sender's context.

Not a `Handover`: a runtime's queue is unbounded, and a message that a handler drops is never
delivered.
"""
_PUBLISHING: Final = Slot("autogen-published", Context)
"""The context in which the receivers of a published message work, as nothing awaits them."""


def on_envelope_metadata(telemetry: Telemetry, call: Call, metadata: EnvelopeMetadata) -> None:
    """Keep the sender's context: ``get_telemetry_envelope_metadata()``, called for each message.

    An isolated tracer links to the span that it would see without otel-agents.
    """
    isolated = context_without_ours()
    if isolated is not None:
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, isolated)
        metadata.traceparent = carrier.get("traceparent")
        metadata.tracestate = carrier.get("tracestate")
    setattr(metadata, _CARRIED, get_current())


def sender_context(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context for ``_process_send(envelope)`` and similar: that of the sender.

    A runtime works in the context in which it was started, whose spans may have ended long ago.
    """
    envelope: Any = call.argument(0, "message_envelope")
    context = getattr(envelope.metadata, _CARRIED, None)
    if not isinstance(context, Context):
        return None
    return with_isolated_span(context) if has_own_tracer(call.instance) else context


def receiver_context(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context for ``_process_publish(envelope)``: a message to all subscribers."""
    context = sender_context(telemetry, call)
    publishing = _PUBLISHING.get(context) if context is not None else None
    if context is None or publishing is None:
        return context
    return with_isolated_span(publishing) if has_own_tracer(call.instance) else publishing


def publishing_in(outer: Context, context: Context) -> Context:
    """Return ``context`` of a core agent, whose published messages are processed in ``outer``.

    The agent was sent a message in ``outer``. Where that has no span, the agent's is the root.
    """
    is_root = not get_current_span(outer).get_span_context().is_valid
    return _PUBLISHING.set(context if is_root else outer, context)


def publishing_within(context: Context) -> Context:
    """Return ``context`` of a team, which awaits everything that is published in it."""
    return _PUBLISHING.set(None, context)

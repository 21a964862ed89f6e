"""One agent hands over to another by rule; a handoff that the model asks for is a tool call."""

from __future__ import annotations

import time
from typing import Any

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.telemetry.records import record_of
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.events import OTEL_AGENTS_HANDOFF

__all__ = ["hand_over"]


def hand_over(
    telemetry: Telemetry, origin: str | None, target: str, context: Context | None = None
) -> None:
    """Emit ``otel_agents.handoff``.

    Args:
        telemetry: What to emit with.
        origin: The name of the agent that hands over; None where nobody did before.
        target: The name of the agent that goes on.
        context: The span that the event belongs to is in it; default is the current one.
    """
    attributes: dict[str, Any] = {attr.OTEL_AGENTS_HANDOFF_TO: target}
    if origin:
        attributes[attr.OTEL_AGENTS_HANDOFF_FROM] = origin
    context = get_current() if context is None else context
    record = record_of(OTEL_AGENTS_HANDOFF, attributes, context, time.time_ns())
    telemetry.emit(record)

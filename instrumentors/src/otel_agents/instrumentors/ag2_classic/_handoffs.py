"""Handoffs by rule; one that a model asks for is a tool's call."""

from __future__ import annotations

from otel_agents.instrumentors._core.calls.around import Begin, Call
from otel_agents.instrumentors._core.operations.handoffs import hand_over
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import text

__all__ = ["handoff"]


def handoff(telemetry: Telemetry) -> Begin:
    """``AfterWorksTransitionEvent(source_agent, transition_target)`` and its like.

    A target that is no agent, as the end of the conversation, is no handoff.
    """

    def begin(call: Call) -> None:
        target = text(call.argument(1, "transition_target"), "agent_name")
        if target:
            hand_over(telemetry, getattr(call.argument(0, "source_agent"), "name", None), target)

    return begin

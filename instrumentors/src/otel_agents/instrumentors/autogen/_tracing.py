"""AutoGen's own tracing, quieted in favour of ours."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.patching.native import SilentTracer
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import chosen

__all__ = ["described", "made", "no_tracer", "traced"]

_MESSAGE: Final = "message"
_SWITCH: Final = "AUTOGEN_DISABLE_RUNTIME_TRACING"


def made(telemetry: Telemetry, call: Call, result: Any) -> None:
    """``TraceHelper(tracer_provider, config)`` of a runtime, which has a span for every message.

    They say nothing that the spans of the run do not, so that nobody gets them by default.
    """
    given: Any = call.argument(0, "tracer_provider")
    if given is None and chosen(_SWITCH) in (None, "true"):
        call.instance.tracer = SilentTracer()


def traced(telemetry: Telemetry, call: Call) -> Observation | None:
    """``TraceHelper.trace_block(…)``, whose spans quote exceptions."""
    if telemetry.gate.wanted:
        return None
    quiet = {"record_exception": False, "set_status_on_exception": False}
    call.kwargs = {**quiet, **call.kwargs}
    return Observation()


def described(telemetry: Telemetry, call: Call, attributes: Any) -> Any:
    """``_create_otel_attributes(…)``, which puts the message into an attribute."""
    if telemetry.gate.wanted:
        return attributes
    return {name: value for name, value in attributes.items() if name != _MESSAGE}


def no_tracer(telemetry: Telemetry, call: Call) -> SilentTracer:
    """``get_tracer(…)``, where versions before 0.6.2 put a tool's arguments into a span."""
    return SilentTracer()

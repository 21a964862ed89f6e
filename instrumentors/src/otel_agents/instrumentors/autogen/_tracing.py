"""AutoGen's own tracing, quieted in favour of ours; what has a provider of its own is left alone."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.patching.isolation import IsolatedTracer, isolate_provider
from otel_agents.instrumentors._core.patching.native import SilentTracer
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import framework_variable

__all__ = ["described", "has_own_tracer", "made", "no_tracer", "traced"]

_MESSAGE: Final = "message"
_SWITCH: Final = "AUTOGEN_DISABLE_RUNTIME_TRACING"


def made(telemetry: Telemetry, call: Call) -> Observation | None:
    """``TraceHelper(tracer_provider, config)`` of a runtime, which has a span for every message.

    They say nothing that the spans of the run do not, so that nobody gets them by default.
    """
    if isolate_provider(telemetry, call, 0):
        return Observation()
    if call.argument(0, "tracer_provider") is None and framework_variable(_SWITCH) in (
        None,
        "true",
    ):
        return Observation(returned=lambda _: _silence(call.instance))
    return None


def _silence(helper: Any) -> None:
    helper.tracer = SilentTracer()


def traced(telemetry: Telemetry, call: Call) -> Observation | None:
    """``TraceHelper.trace_block(…)``, whose spans quote exceptions."""
    if telemetry.gate.enabled or isinstance(call.instance.tracer, IsolatedTracer):
        return None
    quiet = {"record_exception": False, "set_status_on_exception": False}
    call.kwargs = {**quiet, **call.kwargs}
    return Observation()


def described(telemetry: Telemetry, call: Call, attributes: Any) -> Any:
    """``_create_otel_attributes(…)`` of a runtime, which puts the message into an attribute."""
    if telemetry.gate.enabled or has_own_tracer(call.instance):
        return attributes
    return {name: value for name, value in attributes.items() if name != _MESSAGE}


def has_own_tracer(runtime: Any) -> bool:
    """Whether ``runtime`` was given a provider of the application's own."""
    helper = getattr(runtime, "_tracer_helper", None)
    return isinstance(getattr(helper, "tracer", None), IsolatedTracer)


def no_tracer(telemetry: Telemetry, call: Call) -> SilentTracer:
    """``get_tracer(…)``, where versions before 0.6.2 put a tool's arguments into a span."""
    return SilentTracer()

"""AutoGen's own tracing: silenced, as our spans replace it, unless it has a provider of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.patching.isolation import IsolatedTracer, isolate_provider
from otel_agents.instrumentors._core.patching.native import SilentTracer
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import framework_variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autogen_core import AgentRuntime

__all__ = ["has_own_tracer", "no_tracer", "trace_block", "trace_helper", "without_message"]

_MESSAGE: Final = "message"
_SWITCH: Final = "AUTOGEN_DISABLE_RUNTIME_TRACING"


def trace_helper(telemetry: Telemetry, call: Call) -> Observation | None:
    """Silence or isolate ``TraceHelper(tracer_provider, config)`` of a runtime.

    It starts spans for every message, which repeat what the spans of the run say. By default they
    are not emitted.
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


def trace_block(telemetry: Telemetry, call: Call) -> Observation | None:
    """Keep exception messages out of the spans of ``TraceHelper.trace_block(…)``."""
    if telemetry.gate.enabled or isinstance(call.instance.tracer, IsolatedTracer):
        return None
    quiet = {"record_exception": False, "set_status_on_exception": False}
    call.kwargs = {**quiet, **call.kwargs}
    return Observation()


def without_message(
    telemetry: Telemetry, call: Call, attributes: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Remove the message from the attributes of ``_create_otel_attributes(…)`` of a runtime."""
    if telemetry.gate.enabled or has_own_tracer(call.instance):
        return attributes
    return {name: value for name, value in attributes.items() if name != _MESSAGE}


def has_own_tracer(runtime: AgentRuntime) -> bool:
    """Return whether the application gave ``runtime`` a tracer provider of its own."""
    helper = getattr(runtime, "_tracer_helper", None)
    return isinstance(getattr(helper, "tracer", None), IsolatedTracer)


def no_tracer(telemetry: Telemetry, call: Call) -> SilentTracer:
    """Return a silent tracer for ``get_tracer(…)``."""
    # Before 0.6.2 a tool's span holds its arguments: https://github.com/microsoft/autogen/pull/6653
    return SilentTracer()

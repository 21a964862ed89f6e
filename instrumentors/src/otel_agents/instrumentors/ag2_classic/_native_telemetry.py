"""AG2's own telemetry, which an application enables: it records or otel-agents, never both."""

from __future__ import annotations

import inspect
from typing import Any, Final

from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.patching.isolation import isolate_provider
from otel_agents.instrumentors._core.patching.native import NativeTelemetry
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["AGENTS", "MODELS", "NativeRecording"]

_PACKAGE: Final = "autogen.opentelemetry"
_DEFINED_IN: Final = f"{_PACKAGE}.instrumentators"
AGENTS: Final = (
    *(f"{_PACKAGE}:instrument_agent", f"{_DEFINED_IN}.agent:instrument_agent"),
    *(f"{_PACKAGE}:instrument_pattern", f"{_DEFINED_IN}.pattern:instrument_pattern"),
)
"""The functions that enable AG2's telemetry of agents, wherever the application imports them."""
MODELS: Final = (
    f"{_PACKAGE}:instrument_llm_wrapper",
    f"{_DEFINED_IN}.llm_wrapper:instrument_llm_wrapper",
)
"""The functions that enable AG2's telemetry of model calls."""
_NATIVE: Final = NativeTelemetry("ag2_classic", _PACKAGE)


class NativeRecording:
    """Whether AG2's own telemetry records, for as long as this instrumentation lasts."""

    def __init__(self) -> None:
        self._records_agents = self._records_models = False

    def instrument_agents(self, telemetry: Telemetry, call: Call) -> Any:
        """Replace `AGENTS`: call the original if AG2's telemetry is preferred, else do nothing.

        With the application's own provider the original is called too, and both record.
        """
        if isolate_provider(telemetry, call):
            return call.proceed()
        self._records_agents = _NATIVE.is_preferred(telemetry)
        return call.proceed() if self._records_agents else _unchanged(call)

    def instrument_models(self, telemetry: Telemetry, call: Call) -> Any:
        """Replace `MODELS` in the same way."""
        if isolate_provider(telemetry, call):
            return call.proceed()
        self._records_models = _NATIVE.is_preferred(telemetry)
        return call.proceed() if self._records_models else _unchanged(call)

    def unless_agents(self, start: Start) -> Start:
        """Return ``start``, disabled while AG2 records agents."""

        def starting(telemetry: Telemetry, call: Call) -> CallObserver | None:
            return None if self._records_agents else start(telemetry, call)

        return starting

    def unless_models(self, start: Start) -> Start:
        """Return ``start``, disabled while AG2 records model calls; SDKs are suppressed then."""

        def starting(telemetry: Telemetry, call: Call) -> CallObserver | None:
            if not self._records_models:
                return start(telemetry, call)
            with suppress_instrumentation():
                return Observation()

        return starting


def _unchanged(call: Call) -> Any:
    """Return the argument that was to be instrumented; wrong arguments raise as in the original."""
    bound = inspect.signature(call.function).bind(*call.args, **call.kwargs)
    return bound.arguments.get("agent", bound.arguments.get("pattern"))

"""AG2's own telemetry, which an application asks for: one of the two records, never both."""

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

__all__ = ["AGENTS", "MODELS", "OwnTelemetry"]

_PUBLIC: Final = "autogen.opentelemetry"
_MADE: Final = f"{_PUBLIC}.instrumentators"
AGENTS: Final = (
    *(f"{_PUBLIC}:instrument_agent", f"{_MADE}.agent:instrument_agent"),
    *(f"{_PUBLIC}:instrument_pattern", f"{_MADE}.pattern:instrument_pattern"),
)
MODELS: Final = (
    f"{_PUBLIC}:instrument_llm_wrapper",
    f"{_MADE}.llm_wrapper:instrument_llm_wrapper",
)
"""Where applications import the functions from that ask for it."""
_NATIVE: Final = NativeTelemetry("ag2_classic", _PUBLIC)


class OwnTelemetry:
    """What AG2 records itself, for as long as this instrumentation lasts."""

    def __init__(self) -> None:
        self._records_agents = self._records_models = False

    def instrument_agents(self, telemetry: Telemetry, call: Call) -> Any:
        """In place of `AGENTS`: does the same if theirs is to record, else nothing.

        With a provider of the application's own it does the same too, and ours goes on beside it.
        """
        if isolate_provider(telemetry, call):
            return call.proceed()
        self._records_agents = _NATIVE.is_preferred(telemetry)
        return call.proceed() if self._records_agents else _as_it_was(call)

    def instrument_models(self, telemetry: Telemetry, call: Call) -> Any:
        """In place of `MODELS`, like those for agents."""
        if isolate_provider(telemetry, call):
            return call.proceed()
        self._records_models = _NATIVE.is_preferred(telemetry)
        return call.proceed() if self._records_models else _as_it_was(call)

    def unless_agents(self, start: Start) -> Start:
        """``start``, for as long as the agents are ours to record."""

        def starting(telemetry: Telemetry, call: Call) -> CallObserver | None:
            return None if self._records_agents else start(telemetry, call)

        return starting

    def unless_models(self, start: Start) -> Start:
        """``start``, for as long as the models are ours; after that the SDKs tell nothing either."""

        def starting(telemetry: Telemetry, call: Call) -> CallObserver | None:
            if not self._records_models:
                return start(telemetry, call)
            with suppress_instrumentation():
                return Observation()

        return starting


def _as_it_was(call: Call) -> Any:
    """What was to be instrumented; wrong arguments raise what they would."""
    given = inspect.signature(call.function).bind(*call.args, **call.kwargs)
    return given.arguments.get("agent", given.arguments.get("pattern"))

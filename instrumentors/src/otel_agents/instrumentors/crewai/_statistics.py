"""CrewAI's usage statistics, where it emits them to the application's tracer provider."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["on_telemetry"]

# Versions with this method use a provider of their own, and have a switch to disable it.
_SWITCH = "_is_telemetry_disabled"


def on_telemetry(telemetry: Telemetry, call: Call, result: Any) -> None:
    """Disable ``Telemetry()`` where its spans would be exported with the application's own."""
    # Old versions have no switch but `OTEL_SDK_DISABLED`.
    statistics: Any = call.instance
    if not hasattr(statistics, _SWITCH):
        statistics.ready = False

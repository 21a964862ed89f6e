"""CrewAI's own usage statistics, where they are spans of the application's provider."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["made"]

_SWITCH = "_is_telemetry_disabled"
"""What later versions have: they keep to a provider of their own, and can be told not to."""


def made(telemetry: Telemetry, call: Call, result: Any) -> None:
    """``Telemetry()``: what it would record would go out, and stand among the application's own.

    Old versions know no switch but that of OpenTelemetry as a whole.
    """
    statistics: Any = call.instance
    if not hasattr(statistics, _SWITCH):
        statistics.ready = False

"""CrewAI's own usage statistics, where they are spans of the application's provider."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import get_current

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["made"]

_SWITCH = "_is_telemetry_disabled"
"""What later versions have: they keep to a provider of their own, and can be told not to."""


class _Silenced(Passing):
    """Old versions know no switch but that of OpenTelemetry as a whole."""

    def __init__(self, statistics: Any) -> None:
        super().__init__(get_current())
        self._statistics = statistics

    def returned(self, value: Any) -> Any:
        """What they would record would go out, and stand among the application's own spans."""
        self._statistics.ready = False
        return value


def made(telemetry: Telemetry) -> Begin:
    """``Telemetry()``."""

    def begin(call: Call) -> Running | None:
        statistics: Any = call.instance
        return None if hasattr(statistics, _SWITCH) else _Silenced(statistics)

    return begin

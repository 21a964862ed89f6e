"""What the application's own operations are emitted with."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from opentelemetry._logs import LoggerProvider
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from otel_agents.instrumentors._core.errors import call_foreign, guarded, warn_once
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Settings

from ._activity import ACTIVITY

__all__ = ["configure", "flush", "telemetry"]

_PACKAGE: Final = "otel_agents.api"
_LONGEST: Final = 1e6
"""Seconds; a lock cannot wait much longer."""
_given: Final[Bounded[str, Any]] = Bounded(4, inherited=True)
"""The providers that the application named, by the parameters of `Telemetry`."""


def configure(
    tracer_provider: TracerProvider | None,
    meter_provider: MeterProvider | None,
    logger_provider: LoggerProvider | None,
    settings: Settings | None,
) -> None:
    """Emit to these providers; None is the global one."""
    _given.put("tracer_provider", tracer_provider)
    _given.put("meter_provider", meter_provider)
    _given.put("logger_provider", logger_provider)
    _given.put("settings", settings)
    telemetry.cache_clear()
    if tracer_provider or meter_provider or logger_provider:
        ACTIVITY.settle()


@lru_cache(maxsize=1)
def telemetry() -> Telemetry:
    """Return the process's telemetry for what the application records itself."""
    return Telemetry(
        _PACKAGE,
        tracer_provider=_given.get("tracer_provider"),
        meter_provider=_given.get("meter_provider"),
        logger_provider=_given.get("logger_provider"),
        settings=_given.get("settings"),
    )


@guarded("flushing", False)
def flush(timeout: float) -> bool:
    """Have the three providers export what they hold; return whether each has."""
    from opentelemetry._logs import get_logger_provider
    from opentelemetry.metrics import get_meter_provider
    from opentelemetry.trace import get_tracer_provider

    from otel_agents.instrumentors.hosting import drain_streams

    if type(timeout) not in (int, float) or not timeout < _LONGEST:
        warn_once("otel-agents: flush(timeout=…) is 10 seconds, since no number of them was given")
        timeout = 10.0
    drained = drain_streams(timeout)
    providers = (
        _given.get("tracer_provider") or get_tracer_provider(),
        _given.get("meter_provider") or get_meter_provider(),
        _given.get("logger_provider") or get_logger_provider(),
    )
    return all([drained, *(_flushed(provider, int(timeout * 1000)) for provider in providers)])


def _flushed(provider: Any, milliseconds: int) -> bool:
    force_flush: Any = getattr(provider, "force_flush", None)
    if force_flush is None:  # of the API: it holds nothing
        return True
    flushed = call_foreign("flushing", lambda: force_flush(milliseconds), False)
    return flushed is not False

"""Where all of it is emitted to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._activity import ACTIVITY

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from otel_agents.instrumentors.settings import Settings

__all__ = [
    "configure",
    "flush",
]


def configure(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    settings: Settings | None = None,
) -> None:
    """Emit to these providers instead of the global ones.

    It is for an application that gives its instrumentors providers of its own; without arguments it
    returns to the global ones.

    Args:
        tracer_provider: Of the spans.
        meter_provider: Of the metrics.
        logger_provider: Of the events.
        settings: By default those of the environment.
    """
    from ._emitting import configure

    configure(tracer_provider, meter_provider, logger_provider, settings)


def flush(timeout: float = 10.0) -> bool:
    """Have everything exported that is recorded: for scripts, notebooks and jobs.

    Args:
        timeout: Seconds that it may take for each signal.

    Returns:
        Whether everything was exported, as far as the SDK says; True without one.
    """
    if not ACTIVITY:
        return True
    from ._emitting import flush

    return flush(timeout)

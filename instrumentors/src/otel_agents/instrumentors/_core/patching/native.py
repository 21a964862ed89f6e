"""Telemetry that a framework has of its own: one of the two records a call, never both."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import INVALID_SPAN, NoOpTracer

from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors.settings import Prefer

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["NativeTelemetry", "SilentTracer", "no_span"]

_log = logging.getLogger("otel_agents")
_OURS: Final = (
    "otel-agents: %s is instrumented by otel-agents, so %s, which the application asks for too, "
    "records nothing; set OTEL_AGENTS_PREFER=theirs to have it the other way round"
)
_THEIRS: Final = (
    "otel-agents: %s is instrumented by %s, which the application asks for, so otel-agents records "
    "nothing of it; unset OTEL_AGENTS_PREFER=theirs to have it the other way round"
)


class NativeTelemetry:
    """Decides whose telemetry is recorded where an application asks for the framework's, and says so.

    Args:
        framework: The plain name of the instrumentor.
        name: The framework's own telemetry, as its users know it: ``autogen.opentelemetry``.
    """

    def __init__(self, framework: str, name: str) -> None:
        self._names = (framework, name)
        self._logged: ByObject[Telemetry, None] = ByObject()

    def is_preferred(self, telemetry: Telemetry) -> bool:
        """Whether theirs is to record (``OTEL_AGENTS_PREFER=theirs``).

        Said once for each time that the library is instrumented, whosever does.
        """
        theirs = telemetry.settings.prefer is Prefer.THEIRS
        if telemetry not in self._logged:
            self._logged[telemetry] = None
            _log.warning(_THEIRS if theirs else _OURS, *self._names)
        return theirs


class SilentTracer(NoOpTracer):
    """Starts nothing, and leaves current what is: the API's own makes current what it was given."""

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """No span."""
        return nullcontext(INVALID_SPAN)


def no_span(*_: object) -> Any:
    """In place of a context manager that starts a span."""
    return nullcontext(INVALID_SPAN)

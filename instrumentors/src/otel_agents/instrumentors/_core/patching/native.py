"""A framework's own telemetry: either that or ours records a call, never both."""

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
    "otel-agents: %s is instrumented by otel-agents, so %s, which the application enables too, "
    "records nothing; set OTEL_AGENTS_PREFER=theirs to prefer it"
)
_THEIRS: Final = (
    "otel-agents: %s is instrumented by %s, which the application enables, so otel-agents records "
    "nothing of it; unset OTEL_AGENTS_PREFER to prefer otel-agents"
)


class NativeTelemetry:
    """Decides whose telemetry is recorded if an application enables the framework's; logs it.

    Args:
        framework: The plain name of the instrumentor.
        name: The framework's own telemetry, as its users know it: ``autogen.opentelemetry``.
    """

    def __init__(self, framework: str, name: str) -> None:
        self._names = (framework, name)
        self._logged: ByObject[Telemetry, None] = ByObject()

    def is_preferred(self, telemetry: Telemetry) -> bool:
        """Return whether theirs records (``OTEL_AGENTS_PREFER=theirs``).

        Log it once each time that the library is instrumented: as information, since each call is
        recorded and nothing has to be done.
        """
        theirs = telemetry.settings.prefer is Prefer.THEIRS
        if telemetry not in self._logged:
            self._logged[telemetry] = None
            _log.info(_THEIRS if theirs else _OURS, *self._names)
        return theirs


class SilentTracer(NoOpTracer):
    """Starts no span and keeps the current one; the API's no-op tracer makes its own current."""

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """Start no span."""
        return nullcontext(INVALID_SPAN)


def no_span(*_: object) -> Any:
    """Replace a context manager that starts a span."""
    return nullcontext(INVALID_SPAN)

"""The spans that mcp 2 and fastmcp make by themselves: replaced, unless they are preferred."""

from __future__ import annotations

import sys
from typing import Any, Final

from opentelemetry.trace import SpanKind, get_current_span

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.patching.native import SilentTracer
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Prefer

__all__ = ["is_preferred", "is_sent_by_fastmcp", "is_served_by_fastmcp", "tracer"]

_FASTMCP: Final = "fastmcp"


def is_preferred(telemetry: Telemetry) -> bool:
    """Return whether mcp 2 records, and we do not (``OTEL_AGENTS_PREFER=theirs``)."""
    return telemetry.settings.prefer is Prefer.THEIRS


def is_sent_by_fastmcp(telemetry: Telemetry) -> bool:
    """Return whether a request of mcp 1 is in a client's span of fastmcp, which is preferred."""
    if not is_preferred(telemetry):
        return False
    span: Any = get_current_span()
    scope = getattr(span, "instrumentation_scope", None)
    of_client = getattr(span, "kind", None) is SpanKind.CLIENT
    return of_client and getattr(scope, "name", None) == _FASTMCP


def is_served_by_fastmcp(telemetry: Telemetry, server: object) -> bool:
    """Return whether fastmcp records what its ``server`` handles with mcp 1, and is preferred."""
    return (
        is_preferred(telemetry)
        and type(server).__module__.partition(".")[0] == _FASTMCP
        and "fastmcp.telemetry" in sys.modules
    )


def tracer(telemetry: Telemetry, call: Call) -> Any:
    """Replace ``otel_get_tracer(name, version)`` of fastmcp."""
    return call.proceed() if is_preferred(telemetry) else SilentTracer()

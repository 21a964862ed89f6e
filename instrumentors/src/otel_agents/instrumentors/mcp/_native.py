"""The spans that mcp 2 and fastmcp make by themselves: replaced, unless they are preferred."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.patching.native import SilentTracer
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Prefer

__all__ = ["is_preferred", "tracer"]


def is_preferred(telemetry: Telemetry) -> bool:
    """Return whether mcp 2 records, and we do not (``OTEL_AGENTS_PREFER=theirs``)."""
    return telemetry.settings.prefer is Prefer.THEIRS


def tracer(telemetry: Telemetry, call: Call) -> Any:
    """Replace ``otel_get_tracer(name, version)`` of fastmcp."""
    return call.proceed() if is_preferred(telemetry) else SilentTracer()

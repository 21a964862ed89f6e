"""Trace headers on model calls, for the hosts that the setting names."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping

from opentelemetry import propagate
from opentelemetry.context import Context

from otel_agents.instrumentors._core import errors

from .identity import with_baggage, without_baggage
from .telemetry import Telemetry

__all__ = ["headers_for"]


def headers_for(telemetry: Telemetry, host: str, context: Context) -> Mapping[str, str]:
    """Return the headers to send to ``host`` from ``context``; none if no pattern matches it."""
    settings = telemetry.settings
    carrier: dict[str, str] = {}
    if _matches(host, settings.propagate_headers):
        if _matches(host, settings.propagate_identity):
            context = with_baggage(context)
        else:
            context = without_baggage(context, settings.identity_from_baggage)
        try:
            propagate.inject(carrier, context)
        except Exception:  # an application's propagator may raise; the request goes out as it is
            errors.internal_error("propagating a trace")
    return carrier


def _matches(host: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(host, pattern) for pattern in patterns)

"""Hints: what a user can do about a failed request, for the log and for doctor."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from otel_agents.distro.otlp.outcome import Outcome

__all__ = ["CREDENTIALS", "hint_for"]

CREDENTIALS: Final = "set OTEL_EXPORTER_OTLP_HEADERS"
_START_COLLECTOR: Final = "start a Collector or set OTEL_EXPORTER_OTLP_ENDPOINT"
_COLLECTOR_LOG: Final = "see the Collector's log"
_TLS: Final = "check the scheme of OTEL_EXPORTER_OTLP_ENDPOINT, and OTEL_EXPORTER_OTLP_CERTIFICATE"
_REQUEST: Final = "check OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_ENDPOINT"
_SIGNAL: Final = "enable the signal in its configuration, or set that exporter to none"
_HINTS: Final = MappingProxyType(
    {
        "HTTP 401": CREDENTIALS,
        "HTTP 403": CREDENTIALS,
        "UNAUTHENTICATED": CREDENTIALS,
        "PERMISSION_DENIED": CREDENTIALS,
        "HTTP 404": _SIGNAL,
        "UNIMPLEMENTED": _SIGNAL,
        "HTTP 413": "raise max_request_body_size of its receiver",
        "RESOURCE_EXHAUSTED": "raise max_recv_msg_size_mib of its receiver",
    }
)


def hint_for(outcome: Outcome) -> str:
    """Return the hint for an outcome; one that came from a Collector never says to start one."""
    if outcome.hint:
        return outcome.hint
    if outcome.misconfigured:
        return _REQUEST
    if outcome.reason.startswith("TLS"):
        return _TLS
    if not outcome.retryable and outcome.reason in _HINTS:
        return _HINTS[outcome.reason]
    responded = not outcome.retryable or outcome.message or outcome.reason.startswith("HTTP ")
    return _COLLECTOR_LOG if responded else _START_COLLECTOR

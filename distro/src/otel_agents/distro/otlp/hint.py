"""What to do about a request that failed: one sentence for each reason, for the log and doctor."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from otel_agents.distro.otlp.outcome import Outcome

__all__ = ["CREDENTIALS", "what_to_do"]

CREDENTIALS: Final = "set OTEL_EXPORTER_OTLP_HEADERS"
_START: Final = "start a Collector or set OTEL_EXPORTER_OTLP_ENDPOINT"
_ITS_LOG: Final = "see the Collector's log"
_TLS: Final = "see the scheme of OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_CERTIFICATE"
_REQUEST: Final = "see OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_ENDPOINT"
_SIGNAL: Final = "enable the signal in its configuration, or set that exporter to none"
_HINT: Final = MappingProxyType(
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


def what_to_do(outcome: Outcome) -> str:
    """For people; a Collector that answers need not be started."""
    if outcome.hint:
        return outcome.hint
    if outcome.unmade:
        return _REQUEST
    if outcome.reason.startswith("TLS"):
        return _TLS
    if not outcome.retryable and outcome.reason in _HINT:
        return _HINT[outcome.reason]
    answered = not outcome.retryable or outcome.said or outcome.reason.startswith("HTTP ")
    return _ITS_LOG if answered else _START

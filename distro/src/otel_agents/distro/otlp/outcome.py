"""The outcome of one export request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

__all__ = [
    "DELIVERED",
    "GRPC_RETRYABLE",
    "HTTP_RETRYABLE",
    "NotDeliveredError",
    "Outcome",
    "Transport",
]

GRPC_RETRYABLE: Final = frozenset(
    (
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNAVAILABLE",
        "DATA_LOSS",
    )
)
"""Retryable gRPC codes; RESOURCE_EXHAUSTED is retryable too if the receiver sends a retry delay."""
HTTP_RETRYABLE: Final = frozenset((429, 502, 503, 504))
_TOO_LARGE: Final = frozenset(("RESOURCE_EXHAUSTED", "HTTP 413"))


@dataclass(frozen=True)
class Outcome:
    """The outcome of one attempt.

    ``retryable`` failures may succeed later (no connection, overload); others never do.
    ``reason`` is a human-readable reason, ``message`` the receiver's own message.
    ``retry_after`` is the delay that the receiver requests, in seconds.
    ``unencodable``: no request could be built from these items; one of them is the cause.
    ``misconfigured``: no request can be built from any items; the settings are the cause.
    ``unencoded_attribute``: why an attribute of a delivered item could not be encoded.
    ``rejected``: number of items in an accepted request that the receiver rejected.
    ``hint``: what to do, if the attempt knows better than ``reason``.
    """

    delivered: bool
    retryable: bool = False
    reason: str = ""
    retry_after: float = 0.0
    message: str = ""
    hint: str = ""
    unencodable: bool = False
    misconfigured: bool = False
    rejected: int = 0
    unencoded_attribute: str = ""

    @property
    def too_large(self) -> bool:
        """Whether a smaller request may be accepted."""
        return not self.retryable and self.reason in _TOO_LARGE

    @property
    def text(self) -> str:
        """The reason with the receiver's message."""
        return f"{self.reason}: {self.message}" if self.message else self.reason


DELIVERED = Outcome(True)


class NotDeliveredError(Exception):
    """Ends an exporter's call; exporters would retry for exceptions of `requests` or gRPC."""


class Transport(Protocol):
    """Sends items of one signal."""

    endpoint: str
    """Human-readable: the endpoint, or the exporter's name."""
    max_request_bytes: int
    """Requests are split below this estimate."""

    def send(self, items: Any, timeout: float) -> Outcome:
        """Send ``items`` in one request, within about ``timeout`` seconds; raise nothing."""
        ...

    def renew(self) -> None:
        """Forget connections in a forked child: they belong to the parent."""
        ...

    def close(self) -> None:
        """Release resources; nothing is sent afterwards."""
        ...

"""What became of one export request."""

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
"""The codes of gRPC that may pass; RESOURCE_EXHAUSTED does where the receiver says when."""
HTTP_RETRYABLE: Final = frozenset((429, 502, 503, 504))
_TOO_LARGE: Final = frozenset(("RESOURCE_EXHAUSTED", "HTTP 413"))


@dataclass(frozen=True)
class Outcome:
    """The end of one attempt.

    ``retryable`` failures may pass (nobody answers, overload); others never do. ``reason`` is for
    people, ``said`` what the receiver said. ``after`` is what it asked to wait, in seconds.
    ``unencodable`` is where no request could be made of the items: one of them is the cause.
    ``unmade`` is where no request can be made of any: by the settings, not by the items.
    ``left_out`` tells why something of what was delivered, an attribute, could not be encoded.
    ``rejected`` is how many items of what was delivered the receiver did not take.
    ``hint`` is what to do, where the request tells more than the reason.
    """

    delivered: bool
    retryable: bool = False
    reason: str = ""
    after: float = 0.0
    said: str = ""
    hint: str = ""
    unencodable: bool = False
    unmade: bool = False
    rejected: int = 0
    left_out: str = ""

    @property
    def too_large(self) -> bool:
        """Whether fewer items, or smaller ones, may be taken."""
        return not self.retryable and self.reason in _TOO_LARGE

    @property
    def text(self) -> str:
        """The reason, and what the receiver said."""
        return f"{self.reason}: {self.said}" if self.said else self.reason


DELIVERED = Outcome(True)


class NotDeliveredError(Exception):
    """Ends an exporter's call; no exception of its transport, for which exporters would retry."""


class Transport(Protocol):
    """Where items of one signal go."""

    where: str
    """For people: an endpoint or an exporter's name."""
    max_request_bytes: int
    """Requests are split below this estimate."""

    def send(self, items: Any, timeout: float) -> Outcome:
        """Send ``items`` in one request, in about ``timeout`` seconds at most; raises nothing."""
        ...

    def renew(self) -> None:
        """Forget connections: they belong to the process that this one was forked from."""
        ...

    def close(self) -> None:
        """Release what is held; nothing is sent any more."""
        ...

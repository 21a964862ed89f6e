"""What became of one export request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["DELIVERED", "Outcome", "Outlet"]


@dataclass(frozen=True)
class Outcome:
    """The end of one attempt.

    ``retryable`` failures may pass (nobody answers, overload); others never do. ``reason`` is for
    people. ``after`` is what the receiver asked to wait, in seconds.
    ``unencodable`` is where no request could be made of the items: one of them is the cause.
    ``left_out`` tells why something of what was delivered, an attribute, could not be encoded.
    """

    delivered: bool
    retryable: bool = False
    reason: str = ""
    after: float = 0.0
    unencodable: bool = False
    left_out: str = ""


DELIVERED = Outcome(True)


class Outlet(Protocol):
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

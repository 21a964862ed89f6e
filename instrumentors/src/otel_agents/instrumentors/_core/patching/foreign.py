"""Rows on the model calls of libraries that have spans of their own for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from opentelemetry.context import get_current

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.context.claims import ForeignClaim
from otel_agents.instrumentors._core.context.ownership import open_foreign_claim

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["claims"]


class _ClaimedCall(Observation):
    """A call of a library that claims it."""

    def __init__(self, claim: ForeignClaim) -> None:
        super().__init__(lambda: open_foreign_claim(claim, get_current()), ended=claim.close)
        self._claim = claim

    def abandoned(self) -> None:
        """Leave the call: the application left its stream."""
        self._claim.leave_call()
        super().abandoned()


def claims(claim_of: Callable[[Telemetry, Call], ForeignClaim | None]) -> Start:
    """Claim the model call for the library's span, as long as the call lasts.

    Args:
        claim_of: Returns the claim of a call; None where the library records nothing.
    """

    def start(telemetry: Telemetry, call: Call) -> Observation | None:
        claim = claim_of(telemetry, call)
        if claim is None:
            return None
        return _ClaimedCall(claim)

    return start

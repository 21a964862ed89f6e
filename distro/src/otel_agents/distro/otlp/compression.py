"""Which receivers take no compression: learned from one refusal, by all signals that go there."""

from __future__ import annotations

from typing import Final

from otel_agents.distro.environment import Signal
from otel_agents.distro.notices import inform
from otel_agents.distro.otlp.hint import what_to_do
from otel_agents.distro.otlp.outcome import Outcome

__all__ = ["Compressions", "hint_for", "may_refuse_compression"]

_NONE: Final = "none"
_REFUSALS: Final = ("UNIMPLEMENTED", "HTTP 415")
"""The answers to a compression that is not known; gRPC's is the same for a signal that is not."""


def may_refuse_compression(outcome: Outcome) -> bool:
    """Whether compression may be what was refused."""
    return not outcome.delivered and outcome.reason in _REFUSALS


def hint_for(signal: Signal, outcome: Outcome) -> str:
    """Advice where the user chose the compression, which is kept."""
    said = outcome.said.lower()
    sure = (
        outcome.reason != "UNIMPLEMENTED" or "compress" in said or signal.compression.value in said
    )
    hint = f"set {signal.compression.source}=none"
    return hint if sure else f"{what_to_do(outcome)}, or {hint}"


class Compressions:
    """What the receivers of a process were found not to take.

    A forked child keeps it. No lock: two signals may learn the same at once, and one tells.
    """

    def __init__(self) -> None:
        self._plain: dict[tuple[str, str], object] = {}

    def of(self, signal: Signal, where: str) -> str:
        """How ``signal`` is compressed: as the user chose, else as its receiver takes it."""
        chosen = signal.compression
        plain = not chosen.given and (where, signal.protocol.value) in self._plain
        return _NONE if plain else chosen.value

    def refused(self, signal: Signal, where: str, outcome: Outcome) -> None:
        """The receiver took without compression what it had refused with ``outcome``."""
        mine = object()
        if self._plain.setdefault((where, signal.protocol.value), mine) is mine:
            inform(
                "%s takes no %s (%s), so it is sent uncompressed; "
                "OTEL_EXPORTER_OTLP_COMPRESSION=none saves the attempt",
                where,
                signal.compression.value,
                outcome.text,
            )

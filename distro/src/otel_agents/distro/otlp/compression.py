"""Receivers that accept no compression: one refusal teaches all signals that go there."""

from __future__ import annotations

from typing import Final

from otel_agents.distro.environment import Signal
from otel_agents.distro.notices import inform
from otel_agents.distro.otlp.hints import hint_for
from otel_agents.distro.otlp.outcome import Outcome

__all__ = ["Compressions", "compression_hint", "may_refuse_compression"]

_NO_COMPRESSION: Final = "none"
_REFUSALS: Final = ("UNIMPLEMENTED", "HTTP 415")
"""Responses to an unknown compression; gRPC sends the same one for an unknown signal."""


def may_refuse_compression(outcome: Outcome) -> bool:
    """Return whether the receiver may have refused the compression."""
    return not outcome.delivered and outcome.reason in _REFUSALS


def compression_hint(signal: Signal, outcome: Outcome) -> str:
    """Return a hint for a compression that the user chose, and that is kept therefore."""
    message = outcome.message.lower()
    sure = (
        outcome.reason != "UNIMPLEMENTED"
        or "compress" in message
        or signal.compression.value in message
    )
    hint = f"set {signal.compression.source}=none"
    return hint if sure else f"{hint_for(outcome)}, or {hint}"


class Compressions:
    """The receivers that were found to accept no compression.

    A forked child keeps them. No lock is needed: of two signals that learn it at once, one logs it.
    """

    def __init__(self) -> None:
        self._plain: dict[tuple[str, str], object] = {}

    def of(self, signal: Signal, endpoint: str) -> str:
        """Return the compression: the user's choice, else what the signal's receiver accepts."""
        chosen = signal.compression
        plain = not chosen.given and (endpoint, signal.protocol.value) in self._plain
        return _NO_COMPRESSION if plain else chosen.value

    def record_refusal(self, signal: Signal, endpoint: str, outcome: Outcome) -> None:
        """Record that the receiver took uncompressed what it refused with ``outcome``."""
        mine = object()
        if self._plain.setdefault((endpoint, signal.protocol.value), mine) is mine:
            inform(
                "%s does not accept %s (%s), so requests are sent uncompressed; "
                "set OTEL_EXPORTER_OTLP_COMPRESSION=none to skip the compressed attempt",
                endpoint,
                signal.compression.value,
                outcome.text,
            )

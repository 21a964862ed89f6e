"""A check of emitted telemetry against the conventions."""

from __future__ import annotations

from otel_agents.semconv.conformance import Finding, check
from otel_agents.testing.emission import Emission

__all__ = ["findings_of"]


def findings_of(emission: Emission) -> list[Finding]:
    """Return what does not conform in everything that ``emission`` collected; empty if all does.

        assert findings_of(emission) == []

    The conventions are those of `otel_agents.semconv`.
    """
    signals = [*emission.spans, *emission.metrics(), *emission.logs]
    spans = emission.spans
    return [finding for signal in signals for finding in check(signal, spans)]

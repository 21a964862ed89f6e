"""The decisions of spans: position, number and outcome."""

from __future__ import annotations

from otel_agents.testing.emission import Emission

__all__ = ["decisions"]

_STEP = "otel_agents.step."


def decisions(emission: Emission) -> list[str]:
    """Return the spans with a decision, by start time, as ``guardrail 2/4 passed``."""
    lines: list[str] = []
    for span in sorted(emission.spans, key=lambda span: span.start_time or 0):
        attributes = span.attributes or {}
        number, count, outcome = (
            attributes.get(_STEP + key) for key in ("number", "count", "outcome")
        )
        which = "" if number is None else f"{number}" if count is None else f"{number}/{count}"
        if which or outcome:
            lines.append(" ".join(filter(None, (span.name, which, str(outcome or "")))))
    return lines

"""What spans tell beside their names: which of how many they are, and what was decided."""

from __future__ import annotations

from otel_agents.testing.emission import Emission

__all__ = ["told"]

_STEP = "otel_agents.step."


def told(emission: Emission) -> list[str]:
    """The spans that tell any of it, in the order in which they began: ``guardrail 2/4 passed``."""
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

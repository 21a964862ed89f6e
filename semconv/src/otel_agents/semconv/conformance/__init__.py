"""Holds emitted telemetry against the conventions: findings, or nothing.

>>> findings = check(span)  # doctest: +SKIP

The rules are those of the official conformance run (weaver live-check with the GenAI policies), and
some of our own: ``RULES`` names them all. Recommended attributes are not missed after an error, nor
where neither request nor response holds the value: those gaps are `GAPS`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ._events import check_event
from ._finding import RULES, Finding
from ._gaps import GAPS, Gap, used_gaps
from ._metrics import check_metric
from ._spans import check_span

__all__ = ["GAPS", "RULES", "Finding", "Gap", "check", "used_gaps"]


def check(signal: object, others: Iterable[object] = ()) -> list[Finding]:
    """The findings of a finished span, a metric or a log record, in the SDK's own shapes.

    A signal that is none of GenAI, MCP or ours has no findings.

    Args:
        signal: What to check.
        others: The finished spans that were emitted with a span: an agent must say what the model
            calls below it have said.

    Raises:
        TypeError: It is neither of the three.
    """
    if hasattr(signal, "status") and hasattr(signal, "kind"):
        return check_span(signal, others)
    if hasattr(signal, "data") and hasattr(signal, "unit"):
        return check_metric(signal)
    if hasattr(signal, "log_record"):
        return check_event(signal)
    raise TypeError(f"neither a span, a metric nor a log record: {type(signal).__name__}")

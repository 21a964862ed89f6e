"""Checks emitted telemetry against the conventions.

>>> findings = check(span)  # doctest: +SKIP

The rules are those of the official conformance run (weaver live-check with the GenAI policies), and
some of our own; ``RULES`` lists them all. Recommended attributes may be missing after an error, and
where neither request nor response holds the value: `GAPS` lists those cases.
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
    """Return the findings of a finished span, a metric or a log record of the SDK.

    A signal outside of GenAI, MCP and our own namespace has no findings.

    Args:
        signal: What to check.
        others: The finished spans that were emitted with a span: an agent's span needs the
            attributes that the model calls below it reported.

    Raises:
        TypeError: It is none of the three.
    """
    if hasattr(signal, "status") and hasattr(signal, "kind"):
        return check_span(signal, others)
    if hasattr(signal, "data") and hasattr(signal, "unit"):
        return check_metric(signal)
    if hasattr(signal, "log_record"):
        return check_event(signal)
    raise TypeError(f"neither a span, a metric nor a log record: {type(signal).__name__}")

"""Optimizers: each trial is a trace of its own, linked to the span of ``compile``.

One trace of all its trials would have thousands of model calls, more than backends take.
"""

from __future__ import annotations

from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Link, set_span_in_context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._names import class_name

__all__ = ["apart", "compiling"]

_COMPILING: Final = Slot("dspy-compile", Link)
"""The link to the optimizer that runs, outside of its trials."""


def compiling(telemetry: Telemetry, call: Call) -> Step | None:
    """Start at ``Teleprompter.compile(student, …)``; optimizers that it uses are part of it."""
    if _COMPILING.get() is not None:
        return None
    step = Step(telemetry, "compile", class_name(call.instance))
    step.context = _COMPILING.set(Link(step.span.get_span_context()), step.context)
    return step


def apart() -> tuple[Context | None, list[Link] | None]:
    """Return parent and links of what runs now: in an optimizer it is the root of a trace."""
    link = _COMPILING.get()
    if link is None:
        return None, None
    return _COMPILING.set(None, set_span_in_context(INVALID_SPAN)), [link]

"""AG2's own ``TelemetryMiddleware``: what it would record is recorded by one of us, not by both.

One that the application gave a provider of its own records there, as an evaluation does, which reads it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.ownership import with_foreign_span
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.patching.isolation import IsolatedTracer
from otel_agents.instrumentors._core.patching.native import NativeTelemetry
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._homes import home

__all__ = ["Opening", "entered", "made", "model_call"]

_OWN: Final = NativeTelemetry("ag2", "ag2.middleware.TelemetryMiddleware")


class Opening:
    """A turn that is about to begin: its middleware is made in `context`."""

    __slots__ = ("context", "left_to_them")

    def __init__(self) -> None:
        self.left_to_them = False
        """Whether AG2's own telemetry is among it, and preferred."""
        self.context = _OPENING.set(self)


_OPENING: Final = Slot("ag2-opening", Opening)


def made(telemetry: Telemetry, call: Call, middleware: Any) -> Any:
    """``TelemetryMiddleware(event, context)``, for each turn.

    Where ours is preferred, AG2's base class, which passes everything on, takes its place.
    """
    if _is_beside(call.instance):
        return middleware
    if not _OWN.is_preferred(telemetry):
        base: Any = import_module(f"{home()}.middleware").BaseMiddleware
        return base(*call.args, **call.kwargs)
    opening = _OPENING.get()
    if opening is not None:
        opening.left_to_them = True
    return middleware


def model_call(telemetry: Telemetry, call: Call) -> Context | None:
    """``on_llm_call`` of what `made` has let pass: it has a span for the model's call."""
    return None if _is_beside(call.instance) else with_foreign_span(get_current())


def entered(telemetry: Telemetry, call: Call) -> Any:
    """``EnvelopeTracer.use_span(span)``, which makes the span of a message between agents current."""
    if _is_beside(call.instance):
        return call.instance._tracer.use_span(*call.args, **call.kwargs)
    return call.proceed()


def _is_beside(recorder: Any) -> bool:
    """Whether what AG2 records with has a provider of the application's own."""
    return isinstance(recorder._tracer, IsolatedTracer)

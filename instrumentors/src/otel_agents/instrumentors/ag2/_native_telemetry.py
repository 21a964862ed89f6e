"""AG2's own ``TelemetryMiddleware``: either it records a turn or otel-agents does, never both.

A middleware with the application's own tracer provider, as an evaluation uses it, always records to
that provider.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.ownership import with_foreign_span
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.patching.isolation import IsolatedTracer
from otel_agents.instrumentors._core.patching.native import NativeTelemetry
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._package import package_name

if TYPE_CHECKING:
    from ag2.middleware import BaseMiddleware

__all__ = ["TurnStart", "envelope_span_used", "middleware_created", "model_call"]

_NATIVE: Final = NativeTelemetry("ag2", "ag2.middleware.TelemetryMiddleware")


class TurnStart:
    """A turn that is about to start; its middleware is created in `context`."""

    __slots__ = ("context", "recorded_natively")

    def __init__(self) -> None:
        self.recorded_natively = False
        """Whether the turn has AG2's own telemetry, and that is preferred."""
        self.context = _TURN_START.set(self)


_TURN_START: Final = Slot("ag2-turn-start", TurnStart)


def middleware_created(telemetry: Telemetry, call: Call, middleware: BaseMiddleware) -> Any:
    """Replace what ``TelemetryMiddleware(event, context)`` returns for each turn.

    Where our telemetry is preferred, the replacement is AG2's base class, which only passes calls
    on.
    """
    if _is_isolated(call.instance):
        return middleware
    if not _NATIVE.is_preferred(telemetry):
        base: Any = import_module(f"{package_name()}.middleware").BaseMiddleware
        return base(*call.args, **call.kwargs)
    turn_start = _TURN_START.get()
    if turn_start is not None:
        turn_start.recorded_natively = True
    return middleware


def model_call(telemetry: Telemetry, call: Call) -> Context | None:
    """Mark the model call in ``on_llm_call`` as recorded by AG2's middleware."""
    return None if _is_isolated(call.instance) else with_foreign_span(get_current())


def envelope_span_used(telemetry: Telemetry, call: Call) -> Any:
    """Run ``EnvelopeTracer.use_span(span)``, which makes the span of a network message current.

    A span that goes to the application's own provider does not become current for otel-agents.
    """
    if _is_isolated(call.instance):
        return call.instance._tracer.use_span(*call.args, **call.kwargs)
    return call.proceed()


def _is_isolated(recorder: Any) -> bool:
    """Return whether AG2 records to the application's own provider."""
    return isinstance(recorder._tracer, IsolatedTracer)

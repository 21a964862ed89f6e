"""LiteLLM's own callback ``otel`` and its kinds, such as ``weave_otel`` and ``logfire``.

A callback that finds a tracer provider in the process uses it too. It would record each model call
a second time, with the prompt, so its model calls are filtered. Its other spans stay (proxy
requests, guardrails, services), and so does everything of a callback with its own provider, such as
``langfuse_otel``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import metrics, trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN, Span, Tracer

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.ownership import with_foreign_span
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.patching.native import NativeTelemetry
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider

    from ._types import OpenTelemetry

__all__ = [
    "callback_created",
    "handle_result",
    "preferred_callback",
    "record_through",
    "set_attributes",
]

_CALLBACK: Final = NativeTelemetry("litellm", "LiteLLM's OpenTelemetry callback for model calls")
_HANDLING: Final[Slot[bool]] = Slot("litellm-callback", bool)
_GUARDRAIL: Final = "guardrail"

_shared: Final[ByObject[OpenTelemetry, None]] = ByObject()
"""The callbacks that use the tracer provider of the process."""


class _ModelCallFilter(Tracer):
    """A callback's tracer without spans for model calls, which we record."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> Span:
        """Start a span, except for a model call."""
        if _HANDLING.get() and name != _GUARDRAIL:
            return INVALID_SPAN
        return self._tracer.start_span(name, *args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """Start a current span; the callback starts none of these for a model call."""
        return self._tracer.start_as_current_span(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tracer, name)


def callback_created(telemetry: Telemetry, call: Call, _: object) -> None:
    """Filter the tracer of a new ``OpenTelemetry(…)``, or of a kind of it."""
    callback: OpenTelemetry = call.instance
    tracer = getattr(callback, "tracer", None)
    if not isinstance(tracer, Tracer) or isinstance(tracer, _ModelCallFilter):
        return
    if not _is_shared(telemetry, callback, tracer):
        return
    _shared[callback] = None
    if not _CALLBACK.is_preferred(telemetry):
        callback.tracer = _ModelCallFilter(tracer)


def _is_shared(telemetry: Telemetry, callback: OpenTelemetry, tracer: Tracer) -> bool:
    """Return whether ``callback`` uses the tracer provider of the process."""
    provider = getattr(callback, "_tracer_provider", None)
    if provider is not None:
        return provider is trace.get_tracer_provider()
    return telemetry.emits_through(tracer)  # `arize_phoenix` keeps no provider


def preferred_callback(telemetry: Telemetry) -> Context | None:
    """Return the context for a model call that a callback records; None if we record it."""
    if not _shared or not _CALLBACK.is_preferred(telemetry):
        return None
    return with_foreign_span(get_current())


def handle_result(telemetry: Telemetry, call: Call) -> Context:
    """Mark that the callback records a model call: ``_handle_success(…)`` and the like."""
    return _HANDLING.set(True)


def set_attributes(telemetry: Telemetry, call: Call) -> object:
    """Skip ``set_attributes(span, kwargs, response_obj)`` of a model call, whatever its span is."""
    callback: OpenTelemetry = call.instance
    tracer = getattr(callback, "tracer", None)
    filtered = isinstance(tracer, _ModelCallFilter) and _HANDLING.get()
    # A request with credentials of its own uses another provider.
    tracer_of = getattr(callback, _TRACER_OF, None)
    if filtered and (tracer_of is None or tracer_of(call.argument(1, "kwargs")) is tracer):
        return None
    return call.proceed()


_TRACER_OF: Final = "get_tracer_to_use_for_request"


def record_through(provider: str) -> Callable[[Telemetry, Call], object]:
    """Skip a callback's method that records model calls through a provider of the process.

    Args:
        provider: The callback's attribute that holds the provider.
    """

    def record(telemetry: Telemetry, call: Call) -> object:
        callback: OpenTelemetry = call.instance
        filtered = isinstance(getattr(callback, "tracer", None), _ModelCallFilter)
        if filtered and getattr(callback, provider, None) in _global_providers():
            return None
        return call.proceed()

    return record


def _global_providers() -> tuple[MeterProvider, LoggerProvider]:
    from opentelemetry._logs import get_logger_provider

    return metrics.get_meter_provider(), get_logger_provider()

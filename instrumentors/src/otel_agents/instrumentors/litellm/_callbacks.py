"""LiteLLM's own OpenTelemetry callback, ``otel``, and its kinds, as ``weave_otel`` and ``logfire``.

One that has found a tracer provider in the process uses it beside us: what it tells of a model call is
told twice then, with the prompt. That is left out of it. What else it tells stays (requests to the
proxy, guardrails, services), and so does all of one that has a provider of its own, as ``langfuse_otel``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from opentelemetry import metrics, trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN, Span, Tracer

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.ownership import with_foreign_span
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.patching.native import NativeTelemetry
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["describing", "left_to_them", "logging", "made", "measuring"]

_OWN: Final = NativeTelemetry("litellm", "LiteLLM's OpenTelemetry callback for model calls")
_LOGGING: Final[Slot[bool]] = Slot("litellm-callback", bool)
_GUARDRAIL: Final = "guardrail"

_sharing: Final[ByObject[Any, None]] = ByObject()
"""The callbacks that use the tracer provider of the process."""


class _WithoutModelCalls(Tracer):
    """A callback's tracer, which starts no span for what ours has one for."""

    def __init__(self, tracer: Any) -> None:
        self._tracer = tracer

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> Span:
        """A span, but for a model call."""
        if _LOGGING.get() and name != _GUARDRAIL:
            return INVALID_SPAN
        return self._tracer.start_span(name, *args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """A span that is current: none of a model call is."""
        return self._tracer.start_as_current_span(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tracer, name)


def made(telemetry: Telemetry, call: Call, _: Any) -> None:
    """``OpenTelemetry(…)``, or a kind of it."""
    callback = call.instance
    tracer = getattr(callback, "tracer", None)
    if not isinstance(tracer, Tracer) or isinstance(tracer, _WithoutModelCalls):
        return
    if not _is_shared(callback, tracer):
        return
    _sharing[callback] = None
    if not _OWN.is_preferred(telemetry):
        callback.tracer = _WithoutModelCalls(tracer)


def _is_shared(callback: Any, tracer: Tracer) -> bool:
    """Whether ``callback`` tells the tracer provider of the process."""
    shared = trace.get_tracer_provider()
    provider = getattr(callback, "_tracer_provider", None)
    if provider is not None:
        return provider is shared
    # Of one that keeps none, as ``arize_phoenix``, a tracer of the SDK knows where its spans go.
    processor = getattr(tracer, "span_processor", None)
    return processor in (None, getattr(shared, "_active_span_processor", None))


def left_to_them(telemetry: Telemetry) -> Context | None:
    """The context of a question that a callback is preferred to tell of; None if it is ours."""
    if not _sharing or not _OWN.is_preferred(telemetry):
        return None
    return with_foreign_span(get_current())


def logging(telemetry: Telemetry, call: Call) -> Context:
    """``_handle_success(…)`` and the like: the callback tells of a model call."""
    return _LOGGING.set(True)


def describing(telemetry: Telemetry, call: Call) -> Any:
    """``set_attributes(span, kwargs, response_obj)``: all of a model call, on whatever span there is."""
    callback = call.instance
    silenced = isinstance(getattr(callback, "tracer", None), _WithoutModelCalls) and _LOGGING.get()
    # a request may have brought credentials, and with them a provider of its own
    tracer_of = getattr(callback, _TRACER_OF, None)
    if silenced and (tracer_of is None or tracer_of(call.argument(1, "kwargs")) is callback.tracer):
        return None
    return call.proceed()


_TRACER_OF: Final = "get_tracer_to_use_for_request"


def measuring(provider: str) -> Callable[[Telemetry, Call], Any]:
    """Of what records a model call by the provider that the attribute ``provider`` holds."""

    def measure(telemetry: Telemetry, call: Call) -> Any:
        callback = call.instance
        ours = isinstance(getattr(callback, "tracer", None), _WithoutModelCalls)
        if ours and getattr(callback, provider, None) in _global_providers():
            return None
        return call.proceed()

    return measure


def _global_providers() -> tuple[Any, ...]:
    from opentelemetry._logs import get_logger_provider

    return metrics.get_meter_provider(), get_logger_provider()

"""AutoGen's own tracing, quieted in favour of ours, and the context of the messages it delivers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final

from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN, NoOpTracer

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.calls.switches import Switch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import chosen

from ._publishing import published_in

__all__ = [
    "addressed",
    "delivered",
    "described",
    "made",
    "passed",
    "published",
    "traced",
    "untraced",
]

_CARRIED: Final = "_otel_agents_context"
_MESSAGE: Final = "message"
_SWITCH: Final = "AUTOGEN_DISABLE_RUNTIME_TRACING"


class _Addressed(Passing):
    """The metadata of a message that is being sent; they hold the sender's context too."""

    def returned(self, value: Any) -> Any:
        """The place in which AutoGen keeps what its own tracing needs."""
        setattr(value, _CARRIED, self.context)
        return value


def addressed(telemetry: Telemetry) -> Begin:
    """``get_telemetry_envelope_metadata()``, called where a message is sent."""

    def begin(call: Call) -> Running | None:
        return _Addressed(get_current())

    return begin


def delivered(telemetry: Telemetry) -> Begin:
    """``_process_send(envelope)`` and its like: what comes of a message is its sender's doing.

    A runtime works in the context in which it was started, which may be over long ago.
    """

    def begin(call: Call) -> Running | None:
        context = _context_of(call)
        return Passing(context) if context is not None else None

    return begin


def published(telemetry: Telemetry) -> Begin:
    """``_process_publish(envelope)``: for whom it may concern."""

    def begin(call: Call) -> Running | None:
        context = _context_of(call)
        return Passing(published_in(context)) if context is not None else None

    return begin


def _context_of(call: Call) -> Context | None:
    envelope: Any = call.args[0] if call.args else call.kwargs["message_envelope"]
    context = getattr(envelope.metadata, _CARRIED, None)
    return context if isinstance(context, Context) else None


class _Untraced(NoOpTracer):
    """Starts nothing, and leaves current what is: the API's own makes current what it was given."""

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """No span."""
        return nullcontext(INVALID_SPAN)


class _Made(Passing):
    def __init__(self, helper: Any) -> None:
        super().__init__(get_current())
        self._helper = helper

    def returned(self, value: Any) -> Any:
        """A span for every message tells nothing that the spans of the run do not."""
        self._helper.tracer = _Untraced()
        return value


def made(telemetry: Telemetry) -> Begin:
    """``TraceHelper(tracer_provider, config)`` of a runtime."""

    def begin(call: Call) -> Running | None:
        given: Any = call.argument(0, "tracer_provider")
        wanted = given is not None or chosen(_SWITCH) not in (None, "true")
        return None if wanted else _Made(call.instance)

    return begin


def traced(telemetry: Telemetry) -> Begin:
    """``TraceHelper.trace_block(…)``, whose spans tell exceptions by their text."""

    def begin(call: Call) -> Running | None:
        if telemetry.gate.wanted:
            return None
        call.kwargs = {
            "record_exception": False,
            "set_status_on_exception": False,
            **call.kwargs,
        }
        return Passing(get_current())

    return begin


class _Described(Passing):
    def returned(self, value: Any) -> Any:
        """Without the message itself."""
        return {name: text for name, text in value.items() if name != _MESSAGE}


def described(telemetry: Telemetry) -> Begin:
    """``_create_otel_attributes(…)``, which puts the message into an attribute."""

    def begin(call: Call) -> Running | None:
        return None if telemetry.gate.wanted else _Described(get_current())

    return begin


def passed(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
    """A wrapping of a context manager that starts a span: none is started."""

    @functools.wraps(function)
    def passing(*args: Any, **kwargs: Any) -> Any:
        return nullcontext(INVALID_SPAN) if switch.on else function(*args, **kwargs)

    return passing


def untraced(function: Callable[..., Any], switch: Switch, bound: bool) -> Callable[..., Any]:
    """A wrapping of ``get_tracer`` where versions before 0.6.2 put a tool's arguments into a span."""

    @functools.wraps(function)
    def getting(*args: Any, **kwargs: Any) -> Any:
        return _Untraced() if switch.on else function(*args, **kwargs)

    return getting

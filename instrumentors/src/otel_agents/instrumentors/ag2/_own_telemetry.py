"""AG2's own ``TelemetryMiddleware``: what it would record is recorded by one of us, not by both."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any, Final

from opentelemetry.context import create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.context.claims import elsewhere
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Prefer

__all__ = ["Opening", "asked", "made"]

_log = logging.getLogger("otel_agents")

_OPENING: Final = create_key("otel_agents-ag2-opening")


class Opening:
    """A turn that is about to begin: its middleware is made in `context`."""

    __slots__ = ("context", "left_to_them")

    def __init__(self) -> None:
        self.left_to_them = False
        """Whether AG2's own telemetry is among it, and preferred."""
        self.context = set_value(_OPENING, self)


class _PassedOn(Passing):
    """Puts AG2's base class, which passes everything on, in the place of its telemetry."""

    def __init__(self, call: Call) -> None:
        super().__init__(get_current())
        self._call = call

    def returned(self, value: Any) -> Any:
        """What was made goes to nobody."""
        base: Any = import_module("ag2.middleware").BaseMiddleware
        return base(*self._call.args, **self._call.kwargs)


def made(telemetry: Telemetry) -> Begin:
    """``TelemetryMiddleware(event, context)``, for each turn."""
    told: list[bool] = []

    def begin(call: Call) -> Running | None:
        if telemetry.settings.prefer is Prefer.THEIRS:
            opening = get_value(_OPENING)
            if isinstance(opening, Opening):
                opening.left_to_them = True
            return None
        if not told:
            told.append(True)
            _log.warning(
                "otel-agents: ag2's own TelemetryMiddleware is in use, and records nothing, as "
                "every turn is recorded already; OTEL_AGENTS_PREFER=theirs turns it round"
            )
        return _PassedOn(call)

    return begin


def asked(telemetry: Telemetry) -> Begin:
    """``on_llm_call`` of what `made` has let pass: it has a span for the model's call."""

    def begin(call: Call) -> Running | None:
        return Passing(elsewhere(get_current()))

    return begin

"""AG2's own telemetry, which an application asks for: one of the two records, never both."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import get_current
from opentelemetry.instrumentation.utils import suppress_instrumentation

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running, Wrapping
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.calls.switches import Switch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Prefer

__all__ = ["AGENTS", "MODELS", "OwnTelemetry"]

_log = logging.getLogger("otel_agents")
_PUBLIC: Final = "autogen.opentelemetry"
_MADE: Final = f"{_PUBLIC}.instrumentators"
AGENTS: Final = (
    *(f"{_PUBLIC}:instrument_agent", f"{_MADE}.agent:instrument_agent"),
    *(f"{_PUBLIC}:instrument_pattern", f"{_MADE}.pattern:instrument_pattern"),
)
MODELS: Final = (
    f"{_PUBLIC}:instrument_llm_wrapper",
    f"{_MADE}.llm_wrapper:instrument_llm_wrapper",
)
"""Where applications import the functions from that ask for it."""
_OURS: Final = (
    "otel-agents: ag2_classic is instrumented by otel-agents, so autogen.opentelemetry, which the "
    "application asks for too, records nothing; OTEL_AGENTS_PREFER=theirs turns it round"
)
_THEIRS: Final = (
    "otel-agents: ag2_classic is instrumented by autogen.opentelemetry, which the application asks "
    "for, so ours stands back; without OTEL_AGENTS_PREFER=theirs it is the other way round"
)


class OwnTelemetry:
    """Decides whose telemetry is recorded, when the application asks for AG2's."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._theirs = telemetry.settings.prefer is Prefer.THEIRS
        self._told = False
        self._records = self._records_models = False

    def asked(self, *, models: bool) -> Wrapping:
        """The wrapping of a function that asks for it, for agents or for models.

        Where it is not wanted, the function returns what it was given and leaves it as it is.
        """

        def wrapping(function: Callable[..., Any], switch: Switch, bound: bool) -> Any:
            @functools.wraps(function)
            def asking(*args: Any, **kwargs: Any) -> Any:
                if not switch.on:
                    return function(*args, **kwargs)
                self._tell()
                if self._theirs:
                    self._records = self._records or not models
                    self._records_models = self._records_models or models
                    return function(*args, **kwargs)
                given = inspect.signature(function).bind(*args, **kwargs)  # wrong ones are told
                return given.arguments.get("agent", given.arguments.get("pattern"))

            return asking

        return wrapping

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            _log.warning(_THEIRS if self._theirs else _OURS)

    def unless_recorded(self, begin: Begin) -> Begin:
        """``begin``, for as long as the agents are ours to record."""

        def beginning(call: Call) -> Running | None:
            return None if self._records else begin(call)

        return beginning

    def unless_models_are(self, begin: Begin) -> Begin:
        """``begin``, for as long as the models are ours; after that the SDKs tell nothing either."""

        def beginning(call: Call) -> Running | None:
            if not self._records_models:
                return begin(call)
            with suppress_instrumentation():
                return Passing(get_current())

        return beginning

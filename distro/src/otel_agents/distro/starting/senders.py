"""Stopping vendor telemetry of libraries whose own variable would disable more than that.

Each function gets the module that sends, after its import, and a function that returns whether the
user has decided; then the library's own setting applies.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

__all__ = ["stop_chroma", "stop_crewai", "stop_crewai_import"]

_SWITCH: Final = "_is_telemetry_disabled"
_initializing: Final = ContextVar("otel-agents-crewai-statistics", default=False)
"""Whether ``Telemetry`` is being created; in the context, because greenlets share a thread."""


def stop_crewai(module: Any, is_decided: Callable[[], bool]) -> None:
    """Stop ``Telemetry`` from sending, but keep its signal handlers, which report a crew's end."""
    kind = module.Telemetry
    original = kind.__init__

    @functools.wraps(original)
    def initialize(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _stop(self, is_decided)

    kind.__init__ = initialize
    _stop(getattr(kind, "_instance", None), is_decided)


def _stop(statistics: Any, is_decided: Callable[[], bool]) -> None:
    if statistics is not None and not is_decided():
        statistics.ready = False


def stop_crewai_import(module: Any, is_decided: Callable[[], bool]) -> None:
    """Do as `stop_crewai`, and stop the event that some versions send on import.

    The switch stays off while ``Telemetry`` is created: else it has no signal handlers.
    """
    kind = module.Telemetry
    switch, original = getattr(kind, _SWITCH, None), kind.__init__

    @functools.wraps(original)
    def initialize(self: Any, *args: Any, **kwargs: Any) -> None:
        token = _initializing.set(True)
        try:
            original(self, *args, **kwargs)
        finally:
            _initializing.reset(token)

    kind.__init__ = initialize
    stop_crewai(module, is_decided)
    if switch is None:  # early versions have no event on import
        return

    @functools.wraps(switch)
    def disabled(_: Any) -> bool:
        return switch() if _initializing.get() or is_decided() else True

    setattr(kind, _SWITCH, classmethod(disabled))


def stop_chroma(module: Any, is_decided: Callable[[], bool]) -> None:
    """Make ``Posthog.capture`` send nothing.

    Chroma's switch disables the module ``posthog``, which the application may use itself.
    """
    kind = module.Posthog
    capture = kind.capture

    @functools.wraps(capture)
    def captured(self: Any, *args: Any, **kwargs: Any) -> Any:
        return capture(self, *args, **kwargs) if is_decided() else None

    kind.capture = captured

"""How the sending is stopped where a library's own variable would do more than that.

Each function is given the module that sends, when it was imported, and what tells whether the user
has decided: then the library does as he said.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

__all__ = ["stop_chroma", "stop_crewai", "stop_crewai_import"]

_SWITCH: Final = "_is_telemetry_disabled"
_making: Final = ContextVar("otel-agents-crewai-statistics", default=False)
"""Whether ``Telemetry`` is being made: of the context, as greenlets share what is of a thread."""


def stop_crewai(module: Any, decided: Callable[[], bool]) -> None:
    """``Telemetry`` is made, with its handlers of signals, which say how a crew ends; it never sends."""
    kind = module.Telemetry
    make = kind.__init__

    @functools.wraps(make)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        _stop(self, decided)

    kind.__init__ = made
    _stop(getattr(kind, "_instance", None), decided)


def _stop(statistics: Any, decided: Callable[[], bool]) -> None:
    if statistics is not None and not decided():
        statistics.ready = False


def stop_crewai_import(module: Any, decided: Callable[[], bool]) -> None:
    """As `stop_crewai`; some versions tell too that they were imported, unless the switch is on.

    Not while ``Telemetry`` is made: it would be made without its handlers.
    """
    kind = module.Telemetry
    switch, make = getattr(kind, _SWITCH, None), kind.__init__

    @functools.wraps(make)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        token = _making.set(True)
        try:
            make(self, *args, **kwargs)
        finally:
            _making.reset(token)

    kind.__init__ = made
    stop_crewai(module, decided)
    if switch is None:  # of early versions, which tell nothing more
        return

    @functools.wraps(switch)
    def disabled(_: Any) -> bool:
        return switch() if _making.get() or decided() else True

    setattr(kind, _SWITCH, classmethod(disabled))


def stop_chroma(module: Any, decided: Callable[[], bool]) -> None:
    """``Posthog.capture`` tells nothing.

    Chroma's switch turns the module ``posthog`` off, by which the application may tell its own.
    """
    kind = module.Posthog
    capture = kind.capture

    @functools.wraps(capture)
    def captured(self: Any, *args: Any, **kwargs: Any) -> Any:
        return capture(self, *args, **kwargs) if decided() else None

    kind.capture = captured

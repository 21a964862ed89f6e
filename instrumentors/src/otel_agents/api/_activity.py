"""Whether anything can be emitted: an SDK is set up, or the application named its providers."""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import Any, Final

from opentelemetry import trace

__all__ = ["ACTIVITY", "carries"]

_GETTERS: Final = MappingProxyType(
    {
        "opentelemetry.trace": "get_tracer_provider",
        "opentelemetry.metrics": "get_meter_provider",
        "opentelemetry._logs": "get_logger_provider",
    }
)
"""By module of the API: what returns its provider. Providers of the API's own classes emit nothing."""
_SCOPE: Final = "otel_agents.instrumentors._core.context.scope"


class _Activity:
    """Whether an operation of the application would be emitted anywhere.

    A provider is set once for a process, so the first one that emits settles it.
    """

    __slots__ = ("_settled",)

    def __init__(self) -> None:
        self._settled = False

    def settle(self) -> None:
        """Record that the application has named its providers."""
        self._settled = True

    def __bool__(self) -> bool:
        if not self._settled and any(map(_emits, _GETTERS)):
            self._settled = True
        return self._settled


def _emits(module: str) -> bool:
    """Return whether the signal of ``module`` has a provider that emits."""
    if module != trace.__name__ and module not in sys.modules:  # nobody has set one
        return False
    provider: Any = getattr(sys.modules[module], _GETTERS[module])()
    return not type(provider).__module__.startswith(module)


ACTIVITY: Final = _Activity()


def carries() -> bool:
    """Return whether anything reads what a block puts into the context.

    Instrumentors do as well, whatever providers they were given.
    """
    return _SCOPE in sys.modules or bool(ACTIVITY)

"""Calls of hooks, which may raise anything: no error of a hook reaches the application.

This includes ``SystemExit``. Only an exception that arrives from outside while a hook runs, such as
a signal's, belongs to the application.
"""

from __future__ import annotations

import logging
import signal
from asyncio import CancelledError
from traceback import walk_tb
from types import TracebackType
from typing import Final

from otel_agents.instrumentors._core import errors

__all__ = ["HookGuard", "is_external"]

_log = logging.getLogger("otel_agents")

_FROM_OUTSIDE: Final = (KeyboardInterrupt, CancelledError, GeneratorExit)
"""Always taken for external: one that a hook raises itself looks the same."""


class HookGuard:
    """A context manager around the call of a hook: count its errors, and log the first one.

    The error's text is not logged: it may quote content.

    Args:
        hook: The hook's name in messages: ``"the completion hook"``.
        consequence: What a failure means for the content.
    """

    __slots__ = ("_consequence", "_hook")

    def __init__(self, hook: str, consequence: str) -> None:
        self._hook = hook
        self._consequence = consequence

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None or is_external(error):
            return False
        if errors.counts.add(f"calling {self._hook}"):
            errors.warn(
                "otel-agents: %s failed (%s), so %s; further failures are only counted",
                self._hook,
                type(error).__name__,
                self._consequence,
            )
            _log.debug("otel-agents: %s failed", self._hook, exc_info=error)
        return True


def is_external(error: BaseException) -> bool:
    """Return whether ``error`` was raised by a signal or a cancellation, not by the called code."""
    if isinstance(error, Exception):
        return False
    if isinstance(error, _FROM_OUTSIDE):
        return True
    handlers = map(signal.getsignal, signal.valid_signals())
    codes = {getattr(handler, "__code__", None) for handler in handlers}
    return any(frame.f_code in codes for frame, _ in walk_tb(error.__traceback__))

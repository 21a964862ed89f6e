"""A call of a hook, which may raise anything: it is made for our sake, and is no part of the application.

So what it raises stays here, an exit too. What only comes in while it runs is the application's.
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
"""Nothing tells one that a hook raises by itself from that of the terminal or the event loop."""


class HookGuard:
    """Within it a hook is called; where it fails that is counted, and said the first time.

    Its text is not logged: it may quote what the hook was given.

    Args:
        hook: Which hook: ``"the completion hook"``.
        consequence: What its failure means for the content.
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
    """Whether ``error`` is not of what was called, but came in while that ran, as by a signal."""
    if isinstance(error, Exception):
        return False
    if isinstance(error, _FROM_OUTSIDE):
        return True
    handlers = map(signal.getsignal, signal.valid_signals())
    codes = {getattr(handler, "__code__", None) for handler in handlers}
    return any(frame.f_code in codes for frame, _ in walk_tb(error.__traceback__))

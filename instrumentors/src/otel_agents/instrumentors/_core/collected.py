"""What the garbage collector closes, where that may set a context variable.

Before 3.12, Python collects garbage while it sets a context variable, and crashes if a destructor
then sets one in the same context: the collector frees what is being read. A copy of the context is
another one.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Final

from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .system import get_ident

__all__ = ["run"]

_CRASHES: Final = sys.version_info < (3, 12)


class _Collector:
    """The thread in which the garbage collector runs; None while it does not."""

    thread: int | None = None

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        self.thread = get_ident() if phase == "start" else None


_COLLECTOR: Final = _Collector()
if _CRASHES:
    gc.callbacks.append(_COLLECTOR)


def run(function: Callable[..., Any], *args: Any) -> Any:
    """Call ``function``, which closes something; in a copy of the context within a collection."""
    if _COLLECTOR.thread == get_ident():
        return copy_context().run(function, *args)
    return function(*args)


hide_frames(globals())

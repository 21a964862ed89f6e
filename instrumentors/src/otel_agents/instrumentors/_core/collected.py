"""Whether the garbage collector is at work, where a context variable must not be set then.

Before 3.12, Python collects garbage while it sets a context variable, and crashes if a destructor
then sets one in the same context: the collector frees what is being read.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

from .system import get_ident

__all__ = ["is_collecting"]

_CRASHES: Final = sys.version_info < (3, 12)


class _Collector:
    """The thread in which the garbage collector runs; None while it does not."""

    thread: int | None = None

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        self.thread = get_ident() if phase == "start" else None


_COLLECTOR: Final = _Collector()
if _CRASHES:
    gc.callbacks.append(_COLLECTOR)


def is_collecting() -> bool:
    """Return whether the caller is a destructor that may not set a context variable."""
    return _COLLECTOR.thread == get_ident()

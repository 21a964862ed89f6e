"""eventlet's locks, where threads of ours ask for what the application's greenlets have.

Who waits for one is in its queue, and who lets it go has the loop of its own thread switch to the
first of them. To a greenlet of another thread it cannot: it writes a traceback, and that one waits
for ever. gevent's locks know of threads.

Those that our threads and the application share are others': of `logging` and its handlers, of
hooks of imports, of each span. So it is mended for all, in their class. Once a thread of ours has
asked for a lock nobody is queued for it any more: who finds it taken looks again and again, while
the other greenlets of the thread go on. All other locks are as they were.

A thread of ours leaves it to those who are in its queue, and to the one who was told that it is
free. No other thread has a turn between two lines here that call nothing: that is how a greenlet
that finds a lock taken by one of its own thread, and not asked for by us, may be queued.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from typing import Any, Final

from . import system
from .errors import guarded

__all__ = ["know_threads"]

_SHARED: Final = "_otel_agents_shared"
"""Whether a thread of ours has ever asked for it."""
_PROMISED: Final = "_otel_agents_promised"
"""Whether one was taken from its queue, who is to have it and has not come to take it."""


@guarded("mending the locks of eventlet")
def know_threads(module: Any) -> None:
    """Mend the locks of the module ``eventlet.lock``, those that there are too."""
    kind = module.Semaphore
    setattr(kind, _SHARED, False)
    setattr(kind, _PROMISED, False)
    kind.acquire = _acquiring(kind.acquire)
    kind._do_acquire = _promising(kind._do_acquire)


def _acquiring(acquire: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(acquire)
    def acquired(self: Any, blocking: bool = True, timeout: float | None = None) -> bool:
        if timeout not in (None, -1) and (timeout < 0 or not blocking):
            return acquire(self, blocking, timeout)  # which raises
        if system.is_ours():
            self._otel_agents_shared = True  # before it is taken
        if _take(self):
            return True
        if self._otel_agents_shared:
            return blocking and _look(self, None if timeout == -1 else timeout)
        try:
            return acquire(self, blocking, timeout)
        finally:
            self._otel_agents_promised = False

    return acquired


def _promising(switch: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(switch)
    def switched(self: Any) -> None:
        self._otel_agents_promised = True
        try:
            switch(self)
        finally:
            self._otel_agents_promised = False

    return switched


def _take(lock: Any) -> bool:
    if lock.counter > 0 and not lock._waiters and not lock._otel_agents_promised:
        lock.counter -= 1
        return True
    return False


def _look(lock: Any, timeout: float | None) -> bool:
    """In a thread of ours too code of others may have begun greenlets, of which one has the lock."""
    seconds = math.inf if timeout is None else timeout
    return system.wait_until(lambda: _take(lock), seconds, sys.modules["eventlet"].sleep)

"""Makes eventlet's locks work between our threads and the application's greenlets.

A waiter is queued in eventlet's lock. On release, the event loop of the releasing thread switches
to the first waiter. If that is a greenlet of another thread, the switch fails with a traceback and
the waiter waits forever. gevent's locks support threads.

The locks that our threads share with the application are not ours: those of `logging` and its
handlers, of import hooks, of each span. So their class is patched. Once one of our threads has
tried to acquire a lock, nobody is queued for it any more: callers that find it held poll it, while
the other greenlets of their thread go on. All other locks behave as before.

Our threads do not overtake waiters that are queued, nor the one that was notified of the release.
No other thread runs between two lines here that call nothing. So a greenlet may be queued for a
lock that another greenlet of its thread holds and none of our threads has tried to acquire.
"""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from typing import Any

from . import system
from .errors import guarded

__all__ = ["support_threads"]


@guarded("patching the locks of eventlet")
def support_threads(module: Any) -> None:
    """Patch the locks of the module ``eventlet.lock``, including existing ones."""
    kind = module.Semaphore
    kind._otel_agents_shared = False  # whether one of our threads has ever tried to acquire it
    kind._otel_agents_promised = False  # whether a dequeued waiter has not acquired it yet
    kind.acquire = _wrap_acquire(kind.acquire)
    kind._do_acquire = _wrap_do_acquire(kind._do_acquire)


def _wrap_acquire(acquire: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(acquire)
    def acquired(self: Any, blocking: bool = True, timeout: float | None = None) -> bool:
        if timeout not in (None, -1) and (timeout < 0 or not blocking):
            return acquire(self, blocking, timeout)  # raises ValueError, as eventlet does
        if system.is_ours():
            self._otel_agents_shared = True  # set before it is acquired
        if _try_acquire(self):
            return True
        if self._otel_agents_shared:
            return blocking and _poll(self, None if timeout == -1 else timeout)
        try:
            return acquire(self, blocking, timeout)
        finally:
            self._otel_agents_promised = False

    return acquired


def _wrap_do_acquire(switch: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(switch)
    def switched(self: Any) -> None:
        self._otel_agents_promised = True
        try:
            switch(self)
        finally:
            self._otel_agents_promised = False

    return switched


def _try_acquire(lock: Any) -> bool:
    if lock.counter > 0 and not lock._waiters and not lock._otel_agents_promised:
        lock.counter -= 1
        return True
    return False


def _poll(lock: Any, timeout: float | None) -> bool:
    """Poll the lock; `sleep` lets greenlets of this thread go on, one of which may hold it."""
    seconds = math.inf if timeout is None else timeout
    return system.wait_until(lambda: _try_acquire(lock), seconds, sys.modules["eventlet"].sleep)

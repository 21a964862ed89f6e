"""A process from which a server forks workers without Python's fork hooks (uWSGI).

If another thread holds the GIL, or is about to take it, at that moment, the worker waits forever
for that thread, which it does not have. So we start no thread before. Such a process may never send
what it has recorded until then; one of its workers inherits that telemetry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = [
    "after_fork",
    "expect_workers",
    "inherits_telemetry",
    "may_start_threads",
    "start_in_worker",
]


class _Server(NamedTuple):
    is_worker: Callable[[], bool]
    inherits_telemetry: Callable[[], bool]


_server: _Server | None = None
_waiting_starts: tuple[Callable[[], object], ...] = ()
_inherits: bool = False


def expect_workers(
    *, is_worker: Callable[[], bool], inherits_telemetry: Callable[[], bool]
) -> None:
    """Start none of our threads in this process until it turns out to be a worker itself.

    Args:
        is_worker: Returns whether this process has become a worker, which is not forked any more.
            It raises nothing.
        inherits_telemetry: Called in each forked child; returns whether that child sends what this
            process has recorded. It raises nothing.
    """
    global _server
    _server = _Server(is_worker, inherits_telemetry)


def may_start_threads() -> bool:
    """Return whether our threads may start; the first time they may, start those that wait."""
    global _server, _waiting_starts
    if _server is None:
        return True
    if not _server.is_worker():
        return False
    _server, waiting, _waiting_starts = None, _waiting_starts, ()
    for start in waiting:
        start()
    return True


def start_in_worker(start: Callable[[], object]) -> None:
    """Call ``start`` as soon as threads may start: now, or when this process is a worker.

    A process that is forked from it starts its threads by `forking.renew_after_fork`.
    """
    global _waiting_starts
    if may_start_threads():
        start()
    else:
        _waiting_starts = (*_waiting_starts, start)


def inherits_telemetry() -> bool:
    """Return whether this forked process sends what its parent has recorded."""
    return _inherits


def after_fork() -> None:
    """Note in a forked child, before anything is renewed, that it is a worker."""
    global _server, _waiting_starts, _inherits
    _inherits = _server is not None and _server.inherits_telemetry()
    _server, _waiting_starts = None, ()

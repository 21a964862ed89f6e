"""A process from which workers will be forked, by a server that tells the interpreter nothing of it.

Where a thread has the interpreter's lock at that moment, or is about to, its worker waits for that
thread, which it does not have: so none of ours starts before. What such a process has recorded by
then it may never send; one of its workers, the heir, goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["expect_workers", "is_heir", "may_start_threads", "settle", "start_in_worker"]


class _Server(NamedTuple):
    is_worker: Callable[[], bool]
    is_heir: Callable[[], bool]


_server: _Server | None = None
_starts: tuple[Callable[[], object], ...] = ()
_heir: bool = False


def expect_workers(*, is_worker: Callable[[], bool], is_heir: Callable[[], bool]) -> None:
    """Start no thread of ours in this process until it is known to be a worker itself.

    Args:
        is_worker: Whether this process, in which that was false before, is one by now: nobody will
            fork it any more. It raises nothing.
        is_heir: Asked in each forked child: whether it is the one that goes on with what this
            process has recorded. It raises nothing.
    """
    global _server
    _server = _Server(is_worker, is_heir)


def may_start_threads() -> bool:
    """Whether threads of ours may start; where they may from now on, those that wait do."""
    global _server, _starts
    if _server is None:
        return True
    if not _server.is_worker():
        return False
    _server, waiting, _starts = None, _starts, ()
    for start in waiting:
        start()
    return True


def start_in_worker(start: Callable[[], object]) -> None:
    """Call ``start`` where threads may start: now, or as soon as this process is a worker.

    One that is forked from it starts its threads as any child does, by `forking.renew_after_fork`.
    """
    global _starts
    if may_start_threads():
        start()
    else:
        _starts = (*_starts, start)


def is_heir() -> bool:
    """Whether this process was forked to go on with what its parent has recorded and never sends."""
    return _heir


def settle() -> None:
    """In a forked child, before anything is renewed: it is what workers were expected to be."""
    global _server, _starts, _heir
    _heir = _server is not None and _server.is_heir()
    _server, _starts = None, ()

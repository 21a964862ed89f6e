"""Starting our own threads: without signals, and without the starter's context.

The system delivers a signal to any thread that has not blocked it. A program that blocks one, to
finish its work or to wait by `signal.sigwait`, has blocked it in its own threads only. If one of
our threads could get it, the process would end.
"""

from __future__ import annotations

import contextvars
import functools
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

from wrapt import register_post_import_hook

from otel_agents.instrumentors._core import system
from otel_agents.instrumentors._core.green_locks import support_threads
from otel_agents.instrumentors._core.workers import may_start_threads

__all__ = ["signals_blocked", "start_daemon"]

_FAULT_SIGNALS: Final = ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP")
"""A thread causes them itself; if blocked, `faulthandler` could not report them."""


def start_daemon(work: Callable[..., object], *args: object) -> bool:
    """Start a thread that runs ``work``; return False if none may start.

    None may while the interpreter is ending, or in a process that will fork workers.

    The thread ends with the process, and is native even where `threading` has greenlets. It gets no
    signal, nor do threads that it starts. It does not keep the caller's span or context variables
    alive. No lock is taken here: this may run in a signal handler or a destructor.
    """
    if not may_start_threads():
        return False
    with signals_blocked():
        try:
            contextvars.Context().run(system.start, work, *args)
        except RuntimeError:
            return False
    return True


@contextmanager
def signals_blocked() -> Generator[None, None, None]:
    """Block signals: threads started meanwhile get none, and one to this thread waits."""
    if sys.platform == "win32":
        yield
        return
    # Read first: if a handler raises during the change, the previous mask is not returned.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    if before >= _blockable():  # already blocked: one of our threads, which may have little time
        yield
        return
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, _blockable())
        yield
    finally:
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        finally:  # again, if a handler raised before it was done
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@functools.lru_cache(maxsize=1)
def _blockable() -> frozenset[int]:
    return frozenset(signal.valid_signals() - {getattr(signal, name) for name in _FAULT_SIGNALS})


register_post_import_hook(support_threads, "eventlet.lock")

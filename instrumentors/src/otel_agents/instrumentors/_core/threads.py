"""How threads of ours start: deaf to signals, and with nothing of whoever was first.

The system gives a signal to any thread that has not blocked it. A program that blocks one, to finish
what it is doing or to wait for it with `signal.sigwait`, has blocked it in its own threads only:
if one of ours could get it, the process would end.
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

__all__ = ["signals_blocked", "start_apart"]

_OF_A_FAULT: Final = ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP")
"""A thread causes them itself; blocked, `faulthandler` could not tell of them."""


def start_apart(work: Callable[..., object], *args: object) -> bool:
    """Have a thread do ``work``; False where none may start.

    That is where the interpreter is ending, and in a process from which workers will be forked.

    It ends with the process, and is one of the system's, also where `threading` has greenlets. It gets
    no signal, nor do those that it starts. Neither the span nor the variables of the caller
    stay alive in it. No lock is taken here: this may run in a handler or a destructor.
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
    """Threads that are started meanwhile get no signals; one to this thread waits."""
    if sys.platform == "win32":
        yield
        return
    # Asked for first: what a handler raises may come in place of the answer to the change.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    if before >= _asynchronous():  # a thread of ours, which may have little time
        yield
        return
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, _asynchronous())
        yield
    finally:
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        finally:  # again, where a handler has raised before it was done
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@functools.lru_cache(maxsize=1)
def _asynchronous() -> frozenset[int]:
    return frozenset(signal.valid_signals() - {getattr(signal, name) for name in _OF_A_FAULT})


register_post_import_hook(support_threads, "eventlet.lock")

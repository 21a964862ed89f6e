"""Native threads and locks, whatever has patched `threading`."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, ModuleType

import pytest
from new_processes import in_a_new_process

from otel_agents.instrumentors._core import system

SECONDS = 10.0
REPLACED = """
import _thread, queue, threading, time

used = []

def replace(module, *names):
    for name in names:
        real = getattr(module, name)
        def replacement(*args, name=name, real=real, **options):
            used.append(name)
            return real(*args, **options)
        setattr(module, name, replacement)

replace(_thread, "start_new_thread", "allocate_lock", "RLock")
replace(threading, "Thread", "Event", "Condition", "Lock", "RLock", "_allocate_lock")
replace(queue, "SimpleQueue", "Queue")
replace(time, "sleep")
"""
WORK = """
from otel_agents.instrumentors._core import forking, system, tables, threads
from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.hooks.jobs import JobQueue
"""
DONE = """
used.clear()  # by foreign modules while they are imported
done = system.Flag()
assert threads.start_daemon(done.set) and done.wait(10)
jobs = []
uploads = JobQueue(jobs.append, 3, 1)
assert uploads.put("uploaded") and uploads.flush(10) == 0
assert finalization.QUEUE.start()
finalization.QUEUE.finalizer.put(lambda: jobs.append("dropped"))
assert finalization.drain(10)
with forking.Lock():
    tables.Counts().add("counted")
tables.Bounded(3).put(1, 2)
print(*jobs, used)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_they_work_whenever_threading_was_patched(when: str) -> None:
    """Patched after the import, as a program does, or before."""
    steps = (REPLACED, WORK) if when == "before" else (WORK, REPLACED)
    assert in_a_new_process("".join((*steps, DONE))) == "uploaded dropped []\n"


def test_threading_does_not_know_the_thread() -> None:
    """gevent repairs the locks of single-threaded programs only."""
    started, over = system.Flag(), system.Flag()
    known = threading.enumerate()

    def stay() -> None:
        started.set()
        over.wait(SECONDS)

    system.start(stay)
    assert started.wait(SECONDS)
    assert threading.enumerate() == known
    over.set()


def test_setting_a_flag_wakes_all_waiters() -> None:
    flag, done = system.Flag(), threading.Semaphore(0)
    for _ in range(3):
        system.start(lambda: done.release() if flag.wait(SECONDS) else None)
    while len(vars_of(flag)) < 3:
        time.sleep(0.001)
    assert not flag.is_set()
    flag.set()
    assert all(done.acquire(timeout=SECONDS) for _ in range(3))
    assert flag.wait(0)
    assert not vars_of(flag)


def vars_of(flag: system.Flag) -> list[object]:
    return list(getattr(flag, "_waiting"))  # noqa: B009  it is private


def test_nobody_waits_longer_than_the_timeout() -> None:
    flag = system.Flag()
    assert not flag.wait(0)
    assert not flag.wait(0.01)
    assert not vars_of(flag)  # and nothing is left behind
    assert not system.wait_until(flag.is_set, 0.01)


def test_a_signal_handler_may_set_the_flag_whose_wait_it_interrupts() -> None:
    flag = system.Flag()

    def handle(signum: int, frame: FrameType | None) -> None:
        flag.set()

    previous = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        assert flag.wait(SECONDS)
    finally:
        signal.signal(signal.SIGALRM, previous)


class Greenlets:
    """`time.sleep` as patched for greenlets: another one runs ``work``."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.pauses = 0
        self._work = work

    def sleep(self, seconds: float) -> None:
        self.pauses += 1
        self._work()


def patched(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> Greenlets:
    greenlets = Greenlets(work)
    monkeypatch.setitem(sys.modules, "greenlet", ModuleType("greenlet"))
    monkeypatch.setattr(time, "sleep", greenlets.sleep)
    return greenlets


def test_waiting_lets_other_greenlets_run(monkeypatch: pytest.MonkeyPatch) -> None:
    flag = system.Flag()
    greenlets = patched(monkeypatch, flag.set)
    assert system.is_green()
    assert flag.wait(SECONDS)
    assert greenlets.pauses == 1


def test_our_thread_waits_natively(monkeypatch: pytest.MonkeyPatch) -> None:
    greenlets = patched(monkeypatch, lambda: None)
    recorded: list[object] = []
    flag, over = system.Flag(), system.Flag()

    def wait() -> None:
        recorded.extend((system.is_ours(), system.is_green(), flag.wait(SECONDS)))
        system.pause(0.001)
        over.set()

    system.start(wait)
    flag.set()
    while not over.is_set():
        system.sleep(0.001)
    assert recorded == [True, False, True]
    assert greenlets.pauses == 0
    assert not system.is_ours()


def test_in_the_event_loop_itself_it_waits_natively(monkeypatch: pytest.MonkeyPatch) -> None:
    """gevent and eventlet raise there, as in a signal handler."""

    def refuse() -> None:
        raise AssertionError("Impossible to call blocking function in the event loop callback")

    patched(monkeypatch, refuse)
    began = time.monotonic()
    system.pause(0.05)
    assert time.monotonic() - began >= 0.04


def test_a_patched_sleep_alone_means_no_greenlets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in an application's tests, which freeze the time."""
    monkeypatch.delitem(sys.modules, "greenlet", raising=False)
    monkeypatch.setattr(time, "sleep", Greenlets(lambda: None).sleep)
    assert not system.is_green()

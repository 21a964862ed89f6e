"""Threads and locks of the system's own, whatever somebody has put in their place."""

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
from otel_agents.instrumentors._core.calls import disposal
from otel_agents.instrumentors._core.hooks.jobs import JobQueue
"""
DONE = """
used.clear()  # by modules of others, as they are imported
done = system.Flag()
assert threads.start_apart(done.set) and done.wait(10)
jobs = []
uploads = JobQueue(jobs.append, 3, 1)
assert uploads.put("uploaded") and uploads.flush(10) == 0
assert disposal.QUEUE.start()
disposal.QUEUE.disposal.put(lambda: jobs.append("dropped"))
assert disposal.drain(10)
with forking.Lock():
    tables.Counts().add("counted")
tables.Bounded(3).put(1, 2)
print(*jobs, used)
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_they_work_whenever_others_were_put_in_the_place_of_pythons(when: str) -> None:
    """After they were imported, as a program does, or before."""
    steps = (REPLACED, WORK) if when == "before" else (WORK, REPLACED)
    assert in_a_new_process("".join((*steps, DONE))) == "uploaded dropped []\n"


def test_threading_does_not_know_the_thread() -> None:
    """gevent repairs the locks of programs with one thread alone."""
    begun, over = system.Flag(), system.Flag()
    known = threading.enumerate()

    def stay() -> None:
        begun.set()
        over.wait(SECONDS)

    system.start(stay)
    assert begun.wait(SECONDS)
    assert threading.enumerate() == known
    over.set()


def test_each_that_waits_for_a_flag_goes_on_once_it_is_set() -> None:
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


def test_nobody_waits_longer_than_asked_for() -> None:
    flag = system.Flag()
    assert not flag.wait(0)
    assert not flag.wait(0.01)
    assert not vars_of(flag)  # and nothing is left behind
    assert not system.until(flag.is_set, 0.01)


def test_a_handler_may_set_what_it_has_interrupted_the_wait_for() -> None:
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
    """`time.sleep` as where greenlets are threads: it lets another do ``work``."""

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


def test_who_waits_among_greenlets_lets_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    flag = system.Flag()
    greenlets = patched(monkeypatch, flag.set)
    assert system.is_green()
    assert flag.wait(SECONDS)
    assert greenlets.pauses == 1


def test_a_thread_of_ours_waits_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    greenlets = patched(monkeypatch, lambda: None)
    told: list[object] = []
    flag, over = system.Flag(), system.Flag()

    def wait() -> None:
        told.extend((system.is_ours(), system.is_green(), flag.wait(SECONDS)))
        system.pause(0.001)
        over.set()

    system.start(wait)
    flag.set()
    while not over.is_set():
        system.sleep(0.001)
    assert told == [True, False, True]
    assert greenlets.pauses == 0
    assert not system.is_ours()


def test_in_the_loop_itself_nothing_is_given_way_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where gevent and eventlet raise, as in a signal's handler that runs there."""

    def refuse() -> None:
        raise AssertionError("Impossible to call blocking function in the event loop callback")

    patched(monkeypatch, refuse)
    began = time.monotonic()
    system.pause(0.05)
    assert time.monotonic() - began >= 0.04


def test_where_only_sleep_was_replaced_nobody_is_among_greenlets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in tests of the application's, which want no time to pass."""
    monkeypatch.delitem(sys.modules, "greenlet", raising=False)
    monkeypatch.setattr(time, "sleep", Greenlets(lambda: None).sleep)
    assert not system.is_green()

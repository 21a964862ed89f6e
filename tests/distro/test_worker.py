"""The exporting thread: it is started once, and no work on it ends it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from otel_agents.distro.export.worker import Worker
from otel_agents.instrumentors._core import errors, system

SECONDS = 30.0
"""For events that normally come at once."""
NEVER = 3600.0
WORKING = "working on a thread of its own"
ENDINGS = (RuntimeError("planted-secret"), SystemExit(3), KeyboardInterrupt())


def soon() -> float:
    return time.monotonic() + SECONDS


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log errors as outside of tests, with fresh counts."""
    monkeypatch.setattr(errors, "strict", False)
    monkeypatch.setattr(errors, "counts", type(errors.counts)())
    monkeypatch.setattr(errors, "foreign", type(errors.foreign)())


@pytest.fixture
def idle() -> Worker:
    worker = Worker("idle", NEVER, lambda: NEVER)
    worker.start()
    return worker


def failing(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


@pytest.mark.parametrize("error", ENDINGS, ids=lambda error: type(error).__name__)
def test_it_goes_on_after_any_failed_work(
    error: BaseException, idle: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert idle.submit(failing(error)).wait(soon())  # the waiter is notified
    threads: list[bool] = []
    assert idle.submit(lambda: threads.append(idle.is_current)).wait(soon())
    assert threads == [True]
    (line,) = [record.getMessage() for record in caplog.records]
    name = type(error).__name__
    assert line.startswith(
        f"otel-agents: work on the thread idle failed in foreign code ({name} at test_worker"
    )
    assert "planted-secret" not in caplog.text


@pytest.mark.parametrize("error", ENDINGS, ids=lambda error: type(error).__name__)
def test_it_goes_on_after_a_failed_run(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    runs, done = threading.Semaphore(0), threading.Event()

    def task() -> float:
        if done.is_set():
            return NEVER
        runs.release()
        raise error

    worker = Worker("turning", 0.001, task)
    worker.start()
    for _ in range(3):
        assert runs.acquire(timeout=SECONDS)
    done.set()
    assert worker.submit(lambda: None).wait(soon())
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"otel-agents failed while {WORKING} (")
    assert errors.counts.keys() == {WORKING}


def test_on_the_callers_thread_an_exit_propagates() -> None:
    """Where no thread was started, the caller does the work."""
    with pytest.raises(SystemExit):
        Worker("none", NEVER, lambda: NEVER).submit(failing(SystemExit()))
    assert Worker("none", NEVER, lambda: NEVER).submit(failing(ValueError())).wait(0)


def interleave(frame: FrameType, event: str, arg: Any) -> Any:
    """Let another thread run after each instruction of `Worker.start`."""
    if frame.f_code is not Worker.start.__code__:
        return None
    frame.f_trace_opcodes = True
    time.sleep(0)
    return interleave


def test_concurrent_starts_start_one_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[object] = []

    def count(*_: Any) -> None:
        started.append(object())

    monkeypatch.setattr(system, "start", count)
    workers = [Worker("many", NEVER, lambda: NEVER) for _ in range(100)]
    begin = threading.Barrier(4)

    def start_all() -> None:
        begin.wait()
        sys.settrace(interleave)
        for worker in workers:
            worker.start()
        sys.settrace(None)

    starters = [threading.Thread(target=start_all) for _ in range(begin.parties)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert len(started) == len(workers)


def test_a_start_that_interrupts_a_start_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one in a destructor does, which may run anywhere."""
    worker = Worker("interrupted", NEVER, lambda: NEVER)
    started: list[object] = []

    def start(*_: Any) -> None:
        started.append(object())
        worker.start()

    monkeypatch.setattr(system, "start", start)
    worker.start()
    assert len(started) == 1


def test_it_starts_while_the_locks_of_threading_are_held() -> None:
    """A destructor may run while a thread is being started, and start this one."""
    worker = Worker("locked out", NEVER, lambda: NEVER)
    done = threading.Event()

    def start() -> None:
        lock: Any = vars(threading)["_active_limbo_lock"]
        with lock:
            worker.start()
        done.set()

    threading.Thread(target=start, daemon=True).start()
    assert done.wait(SECONDS)
    assert worker.submit(lambda: None).wait(soon())


def test_without_a_thread_submitted_work_is_done_by_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = Worker("late", NEVER, lambda: NEVER)
    jobs: list[Any] = []

    def start(*_: Any) -> None:
        jobs.append(worker.submit(lambda: None))  # by another thread, meanwhile
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(system, "start", start)
    worker.start()
    assert not worker.running
    assert jobs[0].wait(0)
    assert worker.submit(lambda: None).wait(0)


def test_a_forked_child_has_no_thread_until_it_starts_one(idle: Worker) -> None:
    idle.submit(lambda: None)
    idle.reset()
    assert not idle.running
    threads: list[int] = []
    idle.submit(lambda: threads.append(threading.get_ident()))
    idle.restart()
    assert idle.submit(lambda: threads.append(threading.get_ident())).wait(soon())
    assert threads[0] == threading.get_ident() != threads[1]


def test_its_thread_gets_no_signal() -> None:
    """Nor do threads that it starts: one would get a signal that the program has blocked."""
    blocked: list[set[Any]] = []
    worker = Worker("deaf", NEVER, lambda: NEVER)
    worker.start()
    job = worker.submit(lambda: blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    assert job.wait(soon())
    assert blocked[0] >= {signal.SIGTERM, signal.SIGINT}

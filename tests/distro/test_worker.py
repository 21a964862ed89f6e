"""The thread that exports: one, whoever starts it, and nothing that is done on it ends it."""

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

SECONDS = 10.0
NEVER = 3600.0
WORKING = "working on a thread of its own"
ENDINGS = (RuntimeError("planted-secret"), SystemExit(3), KeyboardInterrupt())


def soon() -> float:
    return time.monotonic() + SECONDS


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests, from the first error on."""
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
def test_it_goes_on_after_whatever_it_was_handed(
    error: BaseException, idle: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        assert idle.hand(failing(error)).wait(soon())  # who waits does not wait in vain
    where: list[bool] = []
    assert idle.hand(lambda: where.append(idle.is_current)).wait(soon())
    assert where == [True]
    (line,) = [record.getMessage() for record in caplog.records]
    name = type(error).__name__
    assert line.startswith(
        f"otel-agents: work on the thread idle failed in foreign code ({name} at test_worker"
    )
    assert "planted-secret" not in caplog.text


@pytest.mark.parametrize("error", ENDINGS, ids=lambda error: type(error).__name__)
def test_it_goes_on_after_a_turn_that_failed(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    turns, over = threading.Semaphore(0), threading.Event()

    def turn() -> float:
        if over.is_set():
            return NEVER
        turns.release()
        raise error

    worker = Worker("turning", 0.001, turn)
    worker.start()
    for _ in range(3):
        assert turns.acquire(timeout=SECONDS)
    over.set()
    assert worker.hand(lambda: None).wait(soon())
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"otel-agents failed while {WORKING} (")
    assert errors.counts.keys() == {WORKING}


def test_here_and_now_the_applications_exit_is_its_own() -> None:
    """Where no thread was started, work is done by whoever hands it over."""
    with pytest.raises(SystemExit):
        Worker("none", NEVER, lambda: NEVER).hand(failing(SystemExit()))
    assert Worker("none", NEVER, lambda: NEVER).hand(failing(ValueError())).wait(0)


def interleave(frame: FrameType, event: str, arg: Any) -> Any:
    """Let another thread go on after each instruction of `Worker.start`."""
    if frame.f_code is not Worker.start.__code__:
        return None
    frame.f_trace_opcodes = True
    time.sleep(0)
    return interleave


def test_however_many_start_it_at_once_there_is_one_thread(
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
    """As one in a destructor does, which runs anywhere."""
    worker = Worker("interrupted", NEVER, lambda: NEVER)
    started: list[object] = []

    def start(*_: Any) -> None:
        started.append(object())
        worker.start()

    monkeypatch.setattr(system, "start", start)
    worker.start()
    assert len(started) == 1


def test_it_starts_where_the_locks_of_threading_are_held() -> None:
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
    assert worker.hand(lambda: None).wait(soon())


def test_where_no_thread_can_be_started_what_was_handed_over_is_done_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = Worker("late", NEVER, lambda: NEVER)
    jobs: list[Any] = []

    def start(*_: Any) -> None:
        jobs.append(worker.hand(lambda: None))  # by another thread, meanwhile
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(system, "start", start)
    worker.start()
    assert not worker.running
    assert jobs[0].wait(0)
    assert worker.hand(lambda: None).wait(0)


def test_a_forked_child_has_no_thread_until_it_starts_one(idle: Worker) -> None:
    idle.hand(lambda: None)
    idle.forget()
    assert not idle.running
    where: list[int] = []
    idle.hand(lambda: where.append(threading.get_ident()))
    idle.restart()
    assert idle.hand(lambda: where.append(threading.get_ident())).wait(soon())
    assert where[0] == threading.get_ident() != where[1]


def test_it_gets_no_signal() -> None:
    """Nor do threads that are started on it: one would get what the program has blocked."""
    blocked: list[set[Any]] = []
    worker = Worker("deaf", NEVER, lambda: NEVER)
    worker.start()
    job = worker.hand(lambda: blocked.append(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    assert job.wait(soon())
    assert blocked[0] >= {signal.SIGTERM, signal.SIGINT}

"""Our threads get no signal, and the caller's signal mask stays as it was."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Generator
from contextvars import ContextVar
from types import FrameType

import pytest

from otel_agents.instrumentors._core import system
from otel_agents.instrumentors._core.calls.finalization import QUEUE
from otel_agents.instrumentors._core.hooks.jobs import JobQueue
from otel_agents.instrumentors._core.threads import signals_blocked, start_daemon

SECONDS = 10.0
CALLER: ContextVar[str] = ContextVar("caller", default="nobody")


def mask() -> set[int]:
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


@pytest.fixture(autouse=True)
def before() -> Generator[set[int], None, None]:
    """The caller has blocked one signal; no other is blocked afterwards."""
    found = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    yield mask()
    assert mask() == found | {signal.SIGUSR2}
    signal.pthread_sigmask(signal.SIG_SETMASK, found)


def found_on(start: Callable[[Callable[[], None]], object]) -> tuple[set[int], str]:
    """The blocked signals and the context where ``start`` calls its argument."""
    done, found = threading.Event(), list[tuple[set[int], str]]()

    def look() -> None:
        found.append((mask(), CALLER.get()))
        done.set()

    token = CALLER.set("me")
    start(look)
    CALLER.reset(token)
    assert done.wait(SECONDS)
    return found[0]


def by_itself(look: Callable[[], None]) -> None:
    assert start_daemon(look)


def by_one_of_its_own(look: Callable[[], None]) -> None:
    """As gRPC does."""
    by_itself(lambda: threading.Thread(target=look).start())


def by_disposal(look: Callable[[], None]) -> None:
    assert QUEUE.start()
    QUEUE.finalizer.put(look)


def by_uploads(look: Callable[[], None]) -> None:
    queue: JobQueue[None] = JobQueue(lambda _: look(), 1, 1)
    assert queue.put(None)


@pytest.mark.parametrize("start", [by_itself, by_one_of_its_own, by_disposal, by_uploads])
def test_a_thread_gets_no_signal_that_could_come_to_another(
    start: Callable[[Callable[[], None]], None],
) -> None:
    blocked, caller = found_on(start)
    assert blocked >= {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGCHLD}
    assert signal.SIGSEGV not in blocked  # synchronous: `faulthandler` reports it
    assert caller == "nobody"


def test_if_no_thread_can_start_the_callers_signals_are_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(system, "start", refuse)
    assert not start_daemon(print)


def test_an_exception_of_a_signal_handler_leaves_nothing_blocked() -> None:
    def handle(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGUSR1, handle)
    try:
        with pytest.raises(KeyboardInterrupt), signals_blocked():
            signal.raise_signal(signal.SIGUSR1)  # waits until it is unblocked
    finally:
        signal.signal(signal.SIGUSR1, previous)

"""In a process from which workers will be forked no thread of our own starts, and nothing is lost by it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator

import pytest
from forked import in_a_forked_child

from otel_agents.instrumentors._core import forking, workers
from otel_agents.instrumentors._core.calls.finalization import QUEUE
from otel_agents.instrumentors._core.threads import start_daemon

SECONDS = 10.0
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is nothing to fork with")


class Server:
    """What this process and its children are."""

    def __init__(self) -> None:
        self.worker = False
        self.inherits = False


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Generator[Server, None, None]:
    it = Server()
    for name in ("_server", "_waiting_starts", "_inherits"):
        monkeypatch.setattr(workers, name, vars(workers)[name])
    workers.expect_workers(is_worker=lambda: it.worker, inherits_telemetry=lambda: it.inherits)
    yield it
    QUEUE.drain(SECONDS)


def test_no_thread_starts_before_the_process_is_a_worker(server: Server) -> None:
    done = threading.Event()
    assert not start_daemon(done.set)
    server.worker = True
    assert start_daemon(done.set)
    assert done.wait(SECONDS)


def test_what_waits_is_started_once_with_the_first_thread(server: Server) -> None:
    started: list[str] = []
    workers.start_in_worker(lambda: started.append("first"))
    workers.start_in_worker(lambda: started.append("second"))
    assert started == []
    server.worker = True
    assert start_daemon(int)
    assert start_daemon(int)
    workers.start_in_worker(lambda: started.append("at once"))
    assert started == ["first", "second", "at once"]


def noticed(_: pytest.MonkeyPatch) -> bool:
    """A hook of the interpreter's has run at the fork."""
    return start_daemon(int)


def unhooked(monkeypatch: pytest.MonkeyPatch) -> bool:
    """None has, as far as we know."""
    workers.expect_workers(
        is_worker=lambda: False, inherits_telemetry=lambda: False
    )  # as in the parent
    monkeypatch.setattr(forking, "_process", 0)
    forking.notice_fork()
    return start_daemon(int)


@fork
@pytest.mark.parametrize("how", [noticed, unhooked])
def test_a_forked_child_starts_threads(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    how: Callable[[pytest.MonkeyPatch], bool],
) -> None:
    """It starts what it has by itself: what waits in its parent is not for it."""
    started: list[str] = []
    workers.start_in_worker(lambda: started.append("of the parent"))

    def in_the_child() -> object:
        return how(monkeypatch), started

    assert in_a_forked_child(in_the_child) == "(True, [])"
    assert not start_daemon(int)


@fork
def test_one_child_inherits_telemetry_and_none_of_its_own(server: Server) -> None:
    def in_the_child() -> object:
        return workers.inherits_telemetry(), in_a_forked_child(workers.inherits_telemetry)

    assert in_a_forked_child(in_the_child) == "(False, 'False')"
    server.inherits = True
    assert in_a_forked_child(in_the_child) == "(True, 'False')"
    assert not workers.inherits_telemetry()


@fork
def test_the_heir_finalizes_what_its_parent_has_dropped(server: Server) -> None:
    queue = type(QUEUE)()  # whose thread has not started yet
    dropped: list[str] = []
    of_the_parent = queue.finalizer
    of_the_parent.put(lambda: dropped.append("before"))

    def in_the_child() -> object:
        of_the_parent.put(lambda: dropped.append("after"))
        return queue.drain(SECONDS), dropped

    assert in_a_forked_child(in_the_child) == "(True, [])"
    server.inherits = True
    assert in_a_forked_child(in_the_child) == "(True, ['before', 'after'])"

"""A forked child renews what it must, in order, whatever fails."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import threading

import pytest
from forked import in_a_forked_child

from otel_agents.instrumentors import InvokeAgent, Telemetry, hosting
from otel_agents.instrumentors._core import errors, forking
from otel_agents.instrumentors._core.tables import Counts

fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is nothing to fork with")
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

RENEWING = """
    import logging, os
    from otel_agents.instrumentors._core import errors, forking

    logging.basicConfig(format="%(message)s")

    class Renewed:
        def __init__(self, name):
            self.name = name
            forking.renew_after_fork(self.renew)

        def renew(self):
            print(self.name, flush=True)

    def fail():
        raise LookupError("a secret")

    first, dropped = Renewed("first"), Renewed("dropped")
    forking.renew_after_fork(fail)
    forking.renew_after_fork(lambda: print("last", flush=True))
    del dropped
    errors.counts.add("of the parent")
    child = os.fork()
    if not child:
        print(dict(errors.counts), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(dict(errors.counts))
"""


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests."""
    monkeypatch.setattr(errors, "strict", False)
    for name in ("counts", "foreign"):
        monkeypatch.setattr(errors, name, Counts())


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_a_child_renews_in_order_and_a_failure_stops_nothing() -> None:
    ran = run(RENEWING)
    assert ran.stdout.splitlines() == [
        "first",
        "last",
        "{'renewing after a fork': 1}",
        "{'of the parent': 1}",
    ]
    logged = "otel-agents failed while renewing after a fork (LookupError at <string>:"
    assert ran.stderr.startswith(logged)
    assert "secret" not in ran.stderr


@fork
def test_a_lock_of_another_thread_is_free_in_the_child() -> None:
    lock, locked, forked = forking.Lock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            locked.set()
            forked.wait(20)

    def in_the_child() -> str:
        with lock:
            return "free"

    holding = threading.Thread(target=hold)
    holding.start()
    assert locked.wait(20)
    assert in_a_forked_child(in_the_child, meanwhile=forked.set) == "'free'"
    holding.join()


@fork
def test_the_forking_thread_keeps_its_lock() -> None:
    """It releases it afterwards, in the child as in its parent."""
    lock = forking.Lock()

    def in_the_child() -> bool:
        taken = threading.Thread(target=lambda: lock.__enter__(), daemon=True)
        taken.start()
        taken.join(0.2)
        waits = taken.is_alive()
        lock.__exit__()
        taken.join(20)
        return waits and not taken.is_alive()

    with lock:
        assert in_a_forked_child(in_the_child) == "True"


def test_a_destructor_may_take_the_lock_that_its_own_thread_has() -> None:
    lock, taken = forking.Lock(), list[bool]()

    class Dropped:
        def __del__(self) -> None:
            with lock:
                taken.append(True)

    with lock:
        Dropped()
        gc.collect()
    assert taken == [True]


@fork
def test_a_child_has_neither_errors_nor_operations_of_its_parent(
    telemetry: Telemetry, lenient: None
) -> None:
    """The parent reports and ends them."""
    try:
        raise LookupError
    except LookupError:
        errors.internal_error("of the parent")
    operation = InvokeAgent(telemetry, "of the parent")

    def in_the_child() -> object:
        own = InvokeAgent(telemetry, "of the child")
        started = [one.span.name for one in hosting.operations_in_progress()]
        own.end()
        return started, dict(errors.counts), dict(errors.foreign)

    reported = in_a_forked_child(in_the_child)
    assert reported == "(['invoke_agent of the child'], {}, {})"
    assert (*hosting.operations_in_progress(),) == (operation,)
    assert errors.counts == {"of the parent": 1}
    operation.end()


def test_a_renewal_keeps_no_object_alive() -> None:
    class Renewed:
        def renew(self) -> None: ...

    known = len(vars(forking)["_renewers"])
    for _ in range(10):
        forking.renew_after_fork(Renewed().renew)
    gc.collect()
    assert len(vars(forking)["_renewers"]) <= known


def test_a_failure_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests raise it; nothing is forked here."""

    def fail() -> None:
        raise LookupError

    monkeypatch.setitem(vars(forking)["_renewers"], -1, lambda: fail)
    with pytest.raises(LookupError):
        vars(forking)["_renew"]()


def test_a_fork_without_the_hooks_of_the_interpreter_is_noticed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What foreign hooks would have renewed comes after ours."""
    renewed: list[str] = []
    monkeypatch.setattr(forking, "_renewers", {})
    monkeypatch.setattr(forking, "_unhooked", {})
    forking.renew_after_fork(lambda: renewed.append("theirs"), unhooked=True)
    forking.renew_after_fork(lambda: renewed.append("ours"))
    forking.notice_fork()
    assert renewed == []
    monkeypatch.setattr(forking, "_process", 0)
    forking.notice_fork()
    forking.notice_fork()
    assert renewed == ["ours", "theirs"]
    vars(forking)["_renew"]()
    assert renewed == ["ours", "theirs", "ours"]


def test_interpreter_exit_is_silent() -> None:
    ran = run("""
        from otel_agents.instrumentors._core.tables import Bounded

        class Cycle: ...

        cycle = Cycle()
        cycle.table, cycle.method, cycle.itself = Bounded(3), Bounded._reset, cycle
    """)
    assert (ran.stdout, ran.stderr) == ("", "")

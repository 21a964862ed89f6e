"""A forked child makes anew what it must, in order, whatever fails."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap

import pytest

from otel_agents.instrumentors._core import forking

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
    errors.counts["of the parent"] += 1
    child = os.fork()
    if not child:
        print(dict(errors.counts), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    print(dict(errors.counts))
"""


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
    said = "otel-agents failed while renewing after a fork (LookupError at <string>:"
    assert ran.stderr.startswith(said)
    assert "secret" not in ran.stderr


def test_what_is_gone_is_not_kept() -> None:
    class Renewed:
        def renew(self) -> None: ...

    known = len(vars(forking)["_renewers"])
    for _ in range(10):
        forking.renew_after_fork(Renewed().renew)
    gc.collect()
    assert len(vars(forking)["_renewers"]) <= known


def test_a_failure_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which the tests raise; nothing is forked here."""

    def fail() -> None:
        raise LookupError

    monkeypatch.setitem(vars(forking)["_renewers"], -1, lambda: fail)
    with pytest.raises(LookupError):
        vars(forking)["_renew"]()

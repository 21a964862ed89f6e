"""Servers of `make jaeger` and similar targets end with them, however they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SERVER = """
import signal, sys
with open(sys.argv[1], "w") as alive:
    alive.write("serving\\n")
    alive.flush()
    signal.pause()
"""
SHOWING = """
import signal, sys, threading
from backends.departing import end_by_unwinding
from backends.program import Program

class Server(Program):
    def ready(self):
        return True

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a run under nohup inherits that it is ignored
end_by_unwinding()
with Server([sys.executable, *sys.argv[1:]], {}):
    threading.Event().wait()
"""


def status_when_ended(folder: Path, number: signal.Signals, *shell: str) -> int:
    """Start a server through ``shell``, end that by a signal, and wait for the server's end."""
    alive, server = folder / "alive", folder / "server.py"
    os.mkfifo(alive)
    server.write_text(SERVER)
    with (
        subprocess.Popen(
            [*shell, sys.executable, "-c", SHOWING, str(server), str(alive)],
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            stderr=subprocess.DEVNULL,
        ) as started,
        alive.open() as served,
    ):
        assert served.readline() == "serving\n"
        started.send_signal(number)
        assert served.read() == ""  # the end: all writers have closed it
    return started.returncode


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends what SIGKILL leaves")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_server_ends_with_whoever_started_it(tmp_path: Path, number: signal.Signals) -> None:
    assert status_when_ended(tmp_path, number) in (128 + number, -number)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a parent's end")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_ends_with_a_shell_that_forwards_no_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    # The shell stays, because another command follows.
    status_when_ended(tmp_path, number, "/bin/sh", "-c", '"$@"; true', "sh")


def test_a_command_of_make_becomes_its_script() -> None:
    """So that no process between them swallows a signal."""
    program = "import os, sys; from environments import become; print(os.getpid(), flush=True); "
    program += "become(sys.executable, '-c', 'import os; print(os.getpid())')"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(TESTS / "environments")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(set(done.stdout.split())) == 1

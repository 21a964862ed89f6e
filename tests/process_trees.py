"""A program and its descendants on Linux, found by an environment variable."""

from __future__ import annotations

import os
import signal
import time
import uuid
from pathlib import Path

__all__ = ["Tree"]

_VARIABLE = "OTEL_AGENTS_TEST_TREE"
_LOOK = 0.01
_LINGER = 5.0
"""Seconds in which children may notice that their parent has ended."""


class Tree:
    """All descendants, even those that left group and session; found by polling /proc."""

    def __init__(self) -> None:
        self._mark = uuid.uuid4().hex

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the first process."""
        return {_VARIABLE: self._mark}

    @property
    def numbers(self) -> list[int]:
        """Return the ids of the processes that run."""
        found: list[int] = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"{_VARIABLE}={self._mark}".encode() in path.read_bytes():
                    found.append(int(path.parent.name))
            except OSError:
                continue  # it has ended, or is not ours
        return found

    def kill(self) -> None:
        """Kill all."""
        for number in self.numbers:
            os.kill(number, signal.SIGKILL)

    def idle(self, seconds: float) -> bool:
        """Wait until all are idle; return whether that happened in time."""
        deadline = time.monotonic() + seconds
        while any(_state(number) != "S" for number in self.numbers):
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK)
        return True

    def left(self) -> list[str]:
        """Return the command lines of those that outlive the first."""
        deadline = time.monotonic() + _LINGER
        while self.numbers and time.monotonic() < deadline:
            time.sleep(_LOOK)
        return [_command(number) for number in self.numbers]


def _command(number: int) -> str:
    return Path(f"/proc/{number}/cmdline").read_text().replace("\0", " ")


def _state(number: int) -> str:
    """Return the state of a process's main thread (proc(5)): S if it waits."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "S"  # it has ended

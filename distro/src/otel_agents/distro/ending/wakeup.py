"""The pipe to which the interpreter writes signals, and which the program may close unseen."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Final

__all__ = ["WakeupPipe"]

_direct: Final[Any] = import_module(os.name)
"""Reads and writes for the thread that calls it: eventlet has others in `os`, which let greenlets run."""
_HIGH: Final = 900
"""Should the program close them, no file of its own gets these numbers soon."""


class WakeupPipe:
    """Reads what signals wrote; its numbers are used only as long as they stand for this pipe."""

    def __init__(self) -> None:
        self._open(_HIGH)

    def read(self) -> bytes:
        """Wait for signals; nothing where an end was closed."""
        try:
            return _direct.read(self._reading, 64) if self._has(self._reading) else b""
        except OSError:  # closed meanwhile
            return b""

    def write(self, signum: int) -> bool:
        """Write as the interpreter does; whether that was possible."""
        try:
            return self._has(self.writing) and _direct.write(self.writing, bytes((signum,))) > 0
        except OSError:
            return False

    def reopen(self) -> bool:
        """Have a new pipe be written to under the same number; not where that is somebody else's.

        The number is all that the interpreter knows.
        """
        self.close()
        number = self.writing
        try:
            self._open(number)
        except OSError:  # the process has no descriptor left
            return False
        return self.writing == number

    def close(self) -> None:
        """Close what is open of it."""
        for descriptor in (self._reading, self.writing):
            if self._has(descriptor):
                os.close(descriptor)

    def _open(self, number: int) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        self._reading = _moved(reading, number + 1)
        self.writing = _moved(writing, number)
        self._known = {one: _identity(one) for one in (self._reading, self.writing)}

    def _has(self, descriptor: int) -> bool:
        found = _identity(descriptor)
        return found is not None and found == self._known[descriptor]


def _identity(descriptor: int) -> tuple[int, int] | None:
    """What stays the same under another number."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _moved(descriptor: int, lowest: int) -> int:
    """The same under ``lowest`` or the next number that is free."""
    import fcntl  # not on Windows

    if descriptor == lowest:
        return descriptor
    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
    except OSError:  # the process may have few
        return descriptor
    os.close(descriptor)
    return moved

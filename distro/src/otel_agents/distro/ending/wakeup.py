"""The pipe to which the interpreter writes signals; the program may close it unnoticed."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Final

__all__ = ["WakeupPipe"]

_direct: Final[Any] = import_module(os.name)
"""The unpatched `posix`: eventlet patches `os.read` and `os.write` to switch greenlets."""
_HIGH: Final = 900
"""Lowest descriptor to use: if the program closes ours, its files do not get them soon."""


class WakeupPipe:
    """A pipe that uses its descriptors only while they still refer to this pipe."""

    def __init__(self) -> None:
        self._open(_HIGH)

    def read(self) -> bytes:
        """Wait for signal numbers; return nothing if an end was closed."""
        try:
            return _direct.read(self._reading, 64) if self._has(self._reading) else b""
        except OSError:  # closed meanwhile
            return b""

    def write(self, signum: int) -> bool:
        """Write a number as the interpreter does. Return whether that was possible."""
        try:
            return self._has(self.writing) and _direct.write(self.writing, bytes((signum,))) > 0
        except OSError:
            return False

    def reopen(self) -> bool:
        """Open a new pipe at the same descriptor, which is all that the interpreter knows.

        Return False if the program uses that descriptor for something else. If it is still ours, it
        is never closed in between: the interpreter would report each signal that it cannot write.
        """
        number = self.writing
        self._close(self._reading)
        try:
            self._open(number, is_ours=self._has(number))
        except OSError:  # the process has no descriptor left
            self.close()
            return False
        return self.writing == number

    def close(self) -> None:
        """Close both ends that are still ours."""
        self._close(self._reading)
        self._close(self.writing)

    def _close(self, descriptor: int) -> None:
        """Close one that is still ours."""
        if self._has(descriptor):
            os.close(descriptor)

    def _open(self, number: int, *, is_ours: bool = False) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        self._reading = _moved(reading, number + 1)
        if is_ours:
            os.dup2(writing, number, inheritable=False)
            os.close(writing)
        else:
            self.writing = _moved(writing, number)
        self._known = {one: _identity(one) for one in (self._reading, self.writing)}

    def _has(self, descriptor: int) -> bool:
        found = _identity(descriptor)
        return found is not None and found == self._known[descriptor]


def _identity(descriptor: int) -> tuple[int, int] | None:
    """Return what identifies a file whatever its descriptor."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _moved(descriptor: int, lowest: int) -> int:
    """Move it to the first free descriptor from ``lowest`` on."""
    import fcntl  # not on Windows

    if descriptor == lowest:
        return descriptor
    try:
        moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
    except OSError:  # the process may be limited to few
        return descriptor
    os.close(descriptor)
    return moved

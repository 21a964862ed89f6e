"""Ending with the parent process, and ending child processes, in every case."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from types import FrameType
from typing import Final, NoReturn

__all__ = ["end_by_unwinding", "with_parent"]

_WHEN_PARENT_ENDS: Final = 1
"""``PR_SET_PDEATHSIG`` of Linux's ``sys/prctl.h``."""
_WITH_PARENT: Final = f"""
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
ctypes.CDLL(None).prctl({_WHEN_PARENT_ENDS}, signal.SIGKILL)
if os.getppid() != int(parent):
    sys.exit("its parent has ended")
os.execvp(command[0], command)
"""
_ENDING: Final = ("SIGTERM", "SIGHUP")


def with_parent(command: list[str]) -> list[str]:
    """Return ``command`` so that the kernel kills it when this process has ended, even by SIGKILL.

    As it is where that cannot be had: it takes Linux, which looks at the thread that starts it.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return command
    return [sys.executable, "-ISc", _WITH_PARENT, str(os.getpid()), *command]


def end_by_unwinding() -> None:
    """Let SIGTERM, and a closed terminal, end this process by unwinding its blocks.

    Whoever has one of them ignored, as ``nohup`` does, keeps that. On Linux the end of whoever
    started it is a SIGTERM too: a shell between it and `make` tells it of none.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_WHEN_PARENT_ENDS, signal.SIGTERM)
    numbers = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    taken = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]

    def end(number: int, frame: FrameType | None) -> NoReturn:
        for one in taken:  # nothing interrupts the unwinding
            signal.signal(one, signal.SIG_IGN)
        sys.exit(128 + number)

    for number in taken:
        signal.signal(number, end)

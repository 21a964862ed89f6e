"""The name of the running program, for ``service.name`` where nobody gave one.

A worker, which a library starts for the program's own work, is the same program, though its command
line says only how the library starts it. What it works for is told to it by a variable that
nobody else reads.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["HANDED_DOWN", "hand_down", "is_worker", "program_name", "started_as"]

HANDED_DOWN: Final = "_OTEL_AGENTS_PROGRAM"
"""For workers. A program that is started by itself takes its own name, and hands that down."""

_FALLBACK: Final = "python"
_VALUED_LETTERS: Final = "mcWX"
_VALUED_WORDS: Final = ("--check-hash-based-pycs",)
_LIBRARIES: Final = r"(multiprocessing|multiprocess|billiard|(\w+\.)*loky\.backend)"
_WORKER: Final = re.compile(
    rf"from {_LIBRARIES}\.\w+ import "  # by spawn or forkserver, with what uvicorn and others start
    rf"|{_LIBRARIES}\.popen_loky_\w+$"
    r"|exec\(eval\(sys\.stdin\.readline\(\)\)\)"  # execnet, of pytest-xdist
    r"|\.main_work_horse\("  # RQ, where it does not fork
)
"""The code of ``-c``, or the module of ``-m``, that a worker is started with."""


def program_name(arguments: Sequence[str] | None = None) -> str:
    """The script's name without its suffix, the module of ``-m``, else ``python``.

    Read from the interpreter's own arguments, since the SDK starts before ``sys.argv`` is final.
    A worker's is the one that was handed down.

    Args:
        arguments: The interpreter's command line; default is this process's.
    """
    option, value = _started_with(arguments)
    if _WORKER.search(value):
        return os.environ.get(HANDED_DOWN) or _FALLBACK
    if option == "m":
        return value.removesuffix(".__main__") or _FALLBACK
    return _script(value) if value and not option else _FALLBACK


def hand_down(name: str) -> None:
    """Have the workers that this process starts be ``name``."""
    os.environ[HANDED_DOWN] = name


def is_worker(arguments: Sequence[str] | None = None) -> bool:
    """Whether a library has started this process for the work of another."""
    return _WORKER.search(_started_with(arguments)[1]) is not None


def started_as() -> tuple[str, str]:
    """The interpreter's own path, and the script or module that it was started with, if any."""
    option, value = _started_with(None)
    return sys.executable or "", "" if option == "c" else value


def _started_with(arguments: Sequence[str] | None) -> tuple[str, str]:
    """``m`` and the module, ``c`` and the code; nothing and the script, or nothing at all."""
    rest = list(sys.orig_argv if arguments is None else arguments)[1:]
    while rest and rest[0].startswith("-") and rest[0] != "-":
        letter, value = _valued(rest.pop(0))
        if letter and not value and rest:
            value = rest.pop(0)
        if letter in ("m", "c"):
            return letter, value
    return "", rest[0] if rest and rest[0] != "-" else ""


def _valued(option: str) -> tuple[str, str]:
    """The letter that takes a value, and what of it is in ``option``; several may stand together."""
    if option.startswith("--"):
        return ("-" if option in _VALUED_WORDS else ""), ""
    for place, letter in enumerate(option):
        if letter in _VALUED_LETTERS:
            return letter, option[place + 1 :]
    return "", ""


def _script(path: str) -> str:
    folder, file = os.path.split(os.path.normpath(path))
    stem = os.path.splitext(file)[0]
    if stem == "__main__":
        stem = os.path.basename(folder)
    return stem or _FALLBACK

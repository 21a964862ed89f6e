"""The name of the running program, for ``service.name`` if unset.

A worker process that a library starts is the same program, though its command line names only the
library. It gets the program's name from a private variable.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["PROGRAM_VARIABLE", "is_worker", "program_name", "set_program_of_workers", "started_as"]

PROGRAM_VARIABLE: Final = "_OTEL_AGENTS_PROGRAM"
"""Set for workers. A program that is started on its own uses and passes on its own name."""

_FALLBACK: Final = "python"
_VALUED_FLAGS: Final = "mcWX"
_VALUED_OPTIONS: Final = ("--check-hash-based-pycs",)
_LIBRARIES: Final = r"(multiprocessing|multiprocess|billiard|(\w+\.)*loky\.backend)"
_WORKER: Final = re.compile(
    rf"from {_LIBRARIES}\.\w+ import "  # spawn or forkserver; uvicorn starts workers so too
    rf"|{_LIBRARIES}\.popen_loky_\w+$"
    r"|exec\(eval\(sys\.stdin\.readline\(\)\)\)"  # execnet, of pytest-xdist
    r"|\.main_work_horse\("  # RQ, where it does not fork
)
"""The code of ``-c``, or the module of ``-m``, of a worker's command line."""


def program_name(arguments: Sequence[str] | None = None) -> str:
    """Return the script's name without its suffix, the module of ``-m``, else ``python``.

    It comes from the interpreter's arguments, since the SDK starts before ``sys.argv`` is final. A
    worker's comes from its parent.

    Args:
        arguments: The interpreter's command line; default is this process's.
    """
    option, value = _entry(arguments)
    if _WORKER.search(value):
        return os.environ.get(PROGRAM_VARIABLE) or _FALLBACK
    if option == "m":
        return value.removesuffix(".__main__") or _FALLBACK
    return _script(value) if value and not option else _FALLBACK


def set_program_of_workers(name: str) -> None:
    """Pass ``name`` to the workers that this process starts."""
    os.environ[PROGRAM_VARIABLE] = name


def is_worker(arguments: Sequence[str] | None = None) -> bool:
    """Return whether a library started this process as a worker."""
    return _WORKER.search(_entry(arguments)[1]) is not None


def started_as() -> tuple[str, str]:
    """Return the interpreter's path, and the script or module it was started with, if any."""
    option, value = _entry(None)
    return sys.executable or "", "" if option == "c" else value


def _entry(arguments: Sequence[str] | None) -> tuple[str, str]:
    """Return ``m`` and the module, ``c`` and the code, or an empty option and any script."""
    rest = list(sys.orig_argv if arguments is None else arguments)[1:]
    while rest and rest[0].startswith("-") and rest[0] != "-":
        flag, value = _valued(rest.pop(0))
        if flag and not value and rest:
            value = rest.pop(0)
        if flag in ("m", "c"):
            return flag, value
    return "", rest[0] if rest and rest[0] != "-" else ""


def _valued(option: str) -> tuple[str, str]:
    """Return the flag that takes a value and, if ``option`` holds it, the value.

    Flags may be combined.
    """
    if option.startswith("--"):
        return ("-" if option in _VALUED_OPTIONS else ""), ""
    for position, flag in enumerate(option):
        if flag in _VALUED_FLAGS:
            return flag, option[position + 1 :]
    return "", ""


def _script(path: str) -> str:
    folder, file = os.path.split(os.path.normpath(path))
    stem = os.path.splitext(file)[0]
    if stem == "__main__":
        stem = os.path.basename(folder)
    return stem or _FALLBACK

"""The name of the running program, for ``service.name`` where nobody gave one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

__all__ = ["program_name"]

_FALLBACK = "python"
_VALUED_OPTIONS = ("-W", "-X", "--check-hash-based-pycs")


def program_name(arguments: Sequence[str] | None = None) -> str:
    """The script's name without its suffix, the module of ``-m``, else ``python``.

    Read from the interpreter's own arguments, since the SDK starts before ``sys.argv`` is final.

    Args:
        arguments: The interpreter's command line; default is this process's.
    """
    rest = list(sys.orig_argv if arguments is None else arguments)[1:]
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "-m" and rest:
            return _module(rest[0])
        if option in ("-c", "-"):
            return _FALLBACK
        if option.startswith("-m") and not option.startswith("--"):
            return _module(option[2:])
        if option in _VALUED_OPTIONS and rest:
            rest.pop(0)
    return _script(rest[0]) if rest else _FALLBACK


def _module(name: str) -> str:
    return name.removesuffix(".__main__") or _FALLBACK


def _script(path: str) -> str:
    folder, file = os.path.split(os.path.normpath(path))
    stem = os.path.splitext(file)[0]
    if stem == "__main__":
        stem = os.path.basename(folder)
    return stem or _FALLBACK

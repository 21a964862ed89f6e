"""Hides our frames from Python's warnings, like those of its import system.

``warnings.warn(…, stacklevel=2)`` points at the caller of the function that warns, and filters
match that module. If we run the call, one of our frames is in between. Every Python version that we
support skips frames whose file name contains ``importlib`` and ``_bootstrap``; there is no other
way, since the library calls ``warn``. So the code of our functions names its file by a path through
this folder. It is the same file, and tracebacks show its lines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, Final

__all__ = ["hide_frames"]

_FOLDER: Final = os.path.dirname(os.path.abspath(__file__))


def hide_frames(namespace: Mapping[str, Any]) -> None:
    """Hide the frames of a module's functions and methods; call it at the end of the module.

    Args:
        namespace: The module's ``globals()``.
    """
    file = namespace["__file__"]
    path = os.path.join(_FOLDER, os.path.relpath(file, _FOLDER))
    for value in tuple(namespace.values()):
        if getattr(value, "__module__", None) == namespace["__name__"]:
            for function in _functions(value):
                if function.__code__.co_filename == file:
                    function.__code__ = _with_path(function.__code__, path)


def _functions(value: Any) -> Iterator[FunctionType]:
    parts = vars(value).values() if isinstance(value, type) else (value,)
    for part in parts:
        for one in (part, *(getattr(part, name, None) for name in ("__func__", "fget"))):
            if isinstance(one, FunctionType):
                yield one


def _with_path(code: CodeType, path: str) -> CodeType:
    """Return ``code``, and the code defined in it, with another path to its file."""
    inner = (_with_path(one, path) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_filename=path, co_consts=tuple(inner))

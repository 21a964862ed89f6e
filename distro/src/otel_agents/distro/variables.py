"""Changing the process's variables: as little as can be, and for no longer than needed."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager

__all__ = ["hidden", "offer", "replaced"]


@contextmanager
def replaced(variables: Mapping[str, str | None]) -> Generator[None, None, None]:
    """The variables are others meanwhile, None for unset: for the SDK, which reads them itself."""
    kept = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(kept)


def hidden(*names: str) -> AbstractContextManager[None]:
    """The variables are unset meanwhile."""
    return replaced(dict.fromkeys(names))


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def offer(variables: Mapping[str, str]) -> None:
    """Set what the user has not set; subprocesses inherit it."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)

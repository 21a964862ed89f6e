"""Changes of the process's environment, as few and as short as possible."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager

__all__ = ["hidden", "replaced", "set_defaults"]


@contextmanager
def replaced(variables: Mapping[str, str | None]) -> Generator[None, None, None]:
    """Set variables (None: unset) temporarily, for the SDK, which reads them itself."""
    kept = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(kept)


def hidden(*names: str) -> AbstractContextManager[None]:
    """Unset variables temporarily."""
    return replaced(dict.fromkeys(names))


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def set_defaults(variables: Mapping[str, str]) -> None:
    """Set the variables that the user has not set; subprocesses inherit them."""
    for name, value in variables.items():
        os.environ.setdefault(name, value)

"""Operations in progress: known so that a signal can end them, and held by nobody here.

What the application dropped is gone from here too: only weak references are kept, and the dead
ones are swept out whenever the table has doubled.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol
from weakref import ref

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.forking import renew_after_fork

__all__ = ["Unfinished", "add", "interrupt", "operations", "remove"]

_SWEEP: Final = 1000


class Unfinished(Protocol):
    """An operation in progress."""

    span: Any

    def interrupt(self) -> None:
        """The process is told to end: end with what is known by now."""
        ...


_next: Callable[[], int] = itertools.count().__next__
_references: dict[int, ref[Unfinished]] = {}
_sweep_at = _SWEEP


def add(operation: Unfinished) -> int:
    """Know ``operation`` from now on; returns its place, for `remove`."""
    place = _next()
    _references[place] = ref(operation)
    if len(_references) > _sweep_at:
        _sweep()
    return place


def remove(place: int) -> None:
    """The operation of ``place`` has ended."""
    _references.pop(place, None)


def operations() -> Iterator[Unfinished]:
    """What is in progress, in the order of its start."""
    for reference in list(_references.values()):
        operation = reference()
        if operation is not None:
            yield operation


def interrupt(operation: Unfinished) -> None:
    """End ``operation`` as interrupted."""
    try:
        operation.interrupt()
    except Exception:
        errors.internal_error("interrupting an operation")


def _sweep() -> None:
    global _sweep_at
    for place, reference in list(_references.items()):
        if reference() is None:
            remove(place)
    _sweep_at = max(_SWEEP, 2 * len(_references))


renew_after_fork(_references.clear)  # what is in progress is the parent's to end

"""The entry points of what is installed, scanned once: a scan reads every distribution there is."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

__all__ = ["registered"]


@lru_cache(maxsize=1)
def _all() -> Any:
    return entry_points()  # its type differs before Python 3.12; `select` is common


def registered(group: str, name: str | None = None) -> list[EntryPoint]:
    """The entry points of ``group``, those with ``name`` if it is given."""
    points: list[EntryPoint] = list(_all().select(group=group))
    return [point for point in points if name is None or point.name == name]

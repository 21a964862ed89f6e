"""Two instrumentations of one library: which are there, which are active, which one runs.

Registered is not active: a package may be disabled, or refuse the installed version of the
library; stepping aside for it would leave nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from opentelemetry.instrumentation import dependencies

__all__ = [
    "GROUP",
    "OURS",
    "Rival",
    "accepts_installed",
    "active_rivals",
    "is_ours",
    "loading_is_taken_over",
    "plain_name",
    "refuses",
    "registered_rivals",
    "take_over_loading",
]

GROUP: Final = "opentelemetry_instrumentor"
OURS: Final = "otel_agents_"

_BROADER: Final = frozenset(("opentelemetry-instrumentation-botocore",))
"""Packages that record more than models: they always run; only their model spans are ours."""

_taken_over = False


@dataclass(frozen=True)
class Rival:
    """Another instrumentation of a library that one of ours instruments."""

    name: str
    """Its entry point: what ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`` takes."""
    distribution: str
    value: str

    def __str__(self) -> str:
        return self.distribution or self.value


def take_over_loading() -> None:
    """Say that this process's loader decides itself between ours and their rivals.

    Until somebody does, an instrumentor that is loaded beside an active rival stands back.
    """
    global _taken_over
    _taken_over = True


def loading_is_taken_over() -> bool:
    """Whether `take_over_loading` was called in this process."""
    return _taken_over


def is_ours(entry_point: EntryPoint) -> bool:
    """Whether the entry point is one of this project's instrumentors."""
    return entry_point.name.startswith(OURS)


def plain_name(entry_point: EntryPoint) -> str:
    """The name that people use: ``openai`` for ``otel_agents_openai``."""
    return entry_point.name.removeprefix(OURS)


def active_rivals(instrumentor: type, disabled: Iterable[str] = ()) -> tuple[Rival, ...]:
    """The other instrumentations that would be loaded for this instrumentor's library.

    Args:
        instrumentor: One of our classes; its ``rivals`` are distributions or entry points' values.
        disabled: Names in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``.
    """
    off = set(disabled)
    return tuple(
        _rival(entry_point)
        for entry_point in registered_rivals(instrumentor)
        if entry_point.name not in off and "*" not in off and accepts_installed(entry_point)
    )


def registered_rivals(instrumentor: type) -> list[EntryPoint]:
    """The other instrumentations of this instrumentor's library, active or not."""
    known = {_normal(name) for name in getattr(instrumentor, "rivals", ())}
    if not known:
        return []
    others = (it for it in entry_points(group=GROUP) if not is_ours(it))
    return [entry_point for entry_point in others if known & _names(entry_point)]


def accepts_installed(entry_point: EntryPoint) -> bool:
    """Whether an instrumentation's own checks let it instrument what is installed.

    The loader of OpenTelemetry asks the distribution alone; here the class is asked as well.
    """
    if refuses(entry_point):
        return False
    try:
        needed = entry_point.load()().instrumentation_dependencies()
    except Exception:  # one that cannot even be made is not active
        return False
    return dependencies.get_dependency_conflicts(needed) is None


def refuses(entry_point: EntryPoint) -> bool:
    """Whether the distribution of ``entry_point`` says that it does not support what is installed.

    Versions before 0.58 know no such check; there each instrumentor has its own alone.
    """
    check: Any = getattr(dependencies, "get_dist_dependency_conflicts", None)
    distribution = entry_point.dist
    if check is None or distribution is None:
        return False
    return check(distribution) is not None


def _rival(entry_point: EntryPoint) -> Rival:
    return Rival(entry_point.name, _distribution_name(entry_point), entry_point.value)


def _names(entry_point: EntryPoint) -> set[str]:
    distribution = _distribution_name(entry_point)
    return set() if distribution in _BROADER else {distribution, _normal(entry_point.value)}


def _distribution_name(entry_point: EntryPoint) -> str:
    distribution: Any = entry_point.dist
    return _normal(distribution.metadata["Name"]) if distribution is not None else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower() if ":" not in name else name

"""Two instrumentations of one library: which are there, which are active, which one runs.

What a package instruments is told by its metadata, where the loader of OpenTelemetry looks too, and
by no code of its, which may import the library. Registered is not active: a package may be disabled,
or refuse the installed version of the library; stepping aside for it would leave nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any, Final, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement

__all__ = [
    "GROUP",
    "OURS",
    "Rival",
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

_ALL_OF: Final = "instruments"
_ANY_OF: Final = "instruments-any"

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
        instrumentor: One of our classes; its ``requires`` name the library, and its ``rivals`` are
            distributions, or entry points' values, whose metadata do not.
        disabled: Names in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``.
    """
    off = set(disabled)
    return tuple(
        _rival(entry_point)
        for entry_point in registered_rivals(instrumentor)
        if entry_point.name not in off and "*" not in off and not refuses(entry_point)
    )


def registered_rivals(instrumentor: type) -> list[EntryPoint]:
    """The other instrumentations of this instrumentor's library, active or not."""
    known = {_normal(name) for name in getattr(instrumentor, "rivals", ())}
    libraries = {_normal(Requirement(it).name) for it in getattr(instrumentor, "requires", ())}
    return [
        other.entry_point
        for other in _others(tuple(sys.path))
        if known & other.names or libraries & other.libraries
    ]


def refuses(entry_point: EntryPoint) -> bool:
    """Whether the distribution of ``entry_point`` says that it does not support what is installed."""
    all_of, any_of = _instrumented(entry_point)
    return not all(map(_is_met, all_of)) or (bool(any_of) and not any(map(_is_met, any_of)))


class _Other(NamedTuple):
    """An instrumentation that is not ours."""

    entry_point: EntryPoint
    names: frozenset[str]
    """Its distribution and its value."""
    libraries: frozenset[str]
    """What it instruments of what its distribution says that it does."""


@lru_cache(maxsize=1)  # a scan reads the metadata of every distribution there is
def _others(path: tuple[str, ...]) -> tuple[_Other, ...]:
    others = (it for it in entry_points(group=GROUP) if not is_ours(it))
    return tuple(
        _Other(it, frozenset((_distribution_name(it), _normal(it.value))), _libraries(it))
        for it in others
        if _distribution_name(it) not in _BROADER
    )


def _libraries(entry_point: EntryPoint) -> frozenset[str]:
    """The one that it is named after, if it is one of those of its distribution; else all of them."""
    listed = {_normal(it.name) for kind in _instrumented(entry_point) for it in kind}
    named = listed & {_normal(entry_point.name)}
    return frozenset(named or listed)


def _instrumented(entry_point: EntryPoint) -> tuple[list[Requirement], list[Requirement]]:
    """What its distribution instruments: all of the first, and any of the second."""
    distribution: Any = entry_point.dist
    found: dict[str, list[Requirement]] = {_ALL_OF: [], _ANY_OF: []}
    for text in (distribution.requires or ()) if distribution is not None else ():
        if _ALL_OF not in text:
            continue
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        for extra, requirements in found.items():
            if _is_for(extra, requirement):
                requirements.append(requirement)
    return found[_ALL_OF], found[_ANY_OF]


def _is_for(extra: str, requirement: Requirement) -> bool:
    """Whether a requirement is one of the extra, and not of the distribution without it."""
    marker = requirement.marker
    if marker is None:
        return False
    return marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def _is_met(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except (PackageNotFoundError, KeyError, TypeError):  # or broken metadata
        return False


def _rival(entry_point: EntryPoint) -> Rival:
    return Rival(entry_point.name, _distribution_name(entry_point), entry_point.value)


def _distribution_name(entry_point: EntryPoint) -> str:
    distribution: Any = entry_point.dist
    return _normal(distribution.metadata["Name"]) if distribution is not None else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower() if ":" not in name else name

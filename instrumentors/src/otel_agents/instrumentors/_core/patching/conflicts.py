"""Two instrumentations of one library: which are there, which are active, which one runs.

What a package instruments is told by its metadata, where the loader of OpenTelemetry looks too, and
by no code of its, which may import the library. Registered is not active: a package may be disabled,
or refuse the installed version of the library; stepping aside for it would leave nothing. And one
that instruments more than any of ours is never switched off for ours: the rest would go with it.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import (
    EntryPoint,
    PackageMetadata,
    PackageNotFoundError,
    entry_points,
    version,
)
from typing import Any, Final, NamedTuple

from packaging.requirements import Requirement

from otel_agents.instrumentors._core.errors import attempt

__all__ = [
    "GROUP",
    "OURS",
    "ConflictingInstrumentation",
    "active_conflicts",
    "is_ours",
    "loading_is_taken_over",
    "metadata_problem",
    "plain_name",
    "refuses",
    "registered_conflicts",
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
class ConflictingInstrumentation:
    """Another instrumentation of a library that one of ours instruments."""

    name: str
    """Its entry point: what ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`` takes."""
    distribution: str
    value: str
    is_broader: bool = False
    """Whether it instruments what none of ours does."""

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


def active_conflicts(
    instrumentor: type, disabled: Iterable[str] = ()
) -> tuple[ConflictingInstrumentation, ...]:
    """The other instrumentations that would be loaded for this instrumentor's library.

    Args:
        instrumentor: One of our classes; its ``requires`` name the library, and its ``conflicts`` are
            distributions, or entry points' values, whose metadata do not.
        disabled: Names in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``.
    """
    off = set(disabled)
    return tuple(
        conflict
        for entry_point, conflict in _conflicts(instrumentor)
        if conflict.name not in off and "*" not in off and not refuses(entry_point)
    )


def registered_conflicts(instrumentor: type) -> tuple[ConflictingInstrumentation, ...]:
    """The other instrumentations of this instrumentor's library, active or not."""
    return tuple(conflict for _, conflict in _conflicts(instrumentor))


def metadata_problem(entry_point: EntryPoint) -> str | None:
    """Why nobody can tell what ``entry_point`` instruments; None where its metadata can be read."""
    return _metadata_of(entry_point).problem


def refuses(entry_point: EntryPoint) -> bool:
    """Whether the distribution of ``entry_point`` says that it does not support what is installed."""
    metadata = _metadata_of(entry_point)
    any_of = metadata.any_of
    return not all(map(_is_met, metadata.all_of)) or (
        bool(any_of) and not any(map(_is_met, any_of))
    )


class _Metadata(NamedTuple):
    """What the metadata of a distribution say."""

    name: str
    all_of: tuple[Requirement, ...] = ()
    """What it instruments, if all of them are there."""
    any_of: tuple[Requirement, ...] = ()
    problem: str | None = None
    """Why they cannot be read."""


class _OtherInstrumentation(NamedTuple):
    """An instrumentation that is not ours."""

    entry_point: EntryPoint
    distribution: str
    libraries: frozenset[str]
    """What it instruments of what its distribution says that it does."""


def _conflicts(instrumentor: type) -> Iterator[tuple[EntryPoint, ConflictingInstrumentation]]:
    named = {_normal(name) for name in getattr(instrumentor, "conflicting", ())}
    libraries = _required(instrumentor)
    for entry_point, distribution, theirs in _others(tuple(sys.path)):
        is_known = not named.isdisjoint((distribution, _normal(entry_point.value)))
        if is_known or libraries & theirs:
            is_broader = not is_known and not theirs <= libraries | _all_of_ours(tuple(sys.path))
            yield (
                entry_point,
                ConflictingInstrumentation(
                    entry_point.name, distribution, entry_point.value, is_broader
                ),
            )


@lru_cache(maxsize=1)  # a scan reads the metadata of every distribution there is
def _others(path: tuple[str, ...]) -> tuple[_OtherInstrumentation, ...]:
    others = [(it, _metadata_of(it)) for it in _registered() if not is_ours(it)]
    points = Counter(it.name for _, it in others)
    return tuple(
        _OtherInstrumentation(point, it.name, _libraries(point, it, alone=points[it.name] == 1))
        for point, it in others
        if it.problem is None and it.name not in _BROADER
    )


def _registered() -> Iterable[EntryPoint]:
    return entry_points(group=GROUP)


def _libraries(entry_point: EntryPoint, metadata: _Metadata, *, alone: bool) -> frozenset[str]:
    """All of its distribution; of several entry points one may be named after that which is its own."""
    listed = {_normal(it.name) for it in (*metadata.all_of, *metadata.any_of)}
    named = listed & {_normal(entry_point.name)}
    return frozenset(named if named and not alone else listed)


def _required(instrumentor: type) -> frozenset[str]:
    """The distributions that one of ours is for."""
    required: Iterable[str] = getattr(instrumentor, "requires", ())
    return frozenset(_normal(Requirement(it).name) for it in required)


@lru_cache(maxsize=1)
def _all_of_ours(path: tuple[str, ...]) -> frozenset[str]:
    """What ours instrument: distributions, and packages, which may be of further ones."""
    found: set[str] = set()
    for entry_point in filter(is_ours, _registered()):
        instrumentor: Any = attempt("looking for instrumentors", entry_point.load, None)
        found |= _required(instrumentor)
        found.update(map(_normal, getattr(instrumentor, "packages", ())))
    return frozenset(found)


def _metadata_of(entry_point: EntryPoint) -> _Metadata:
    """What is known of the distribution; of what lies about in a folder that may be nothing."""
    distribution: Any = entry_point.dist
    if distribution is None:
        return _Metadata("")
    try:
        metadata: PackageMetadata | None = distribution.metadata  # None as of importlib_metadata
        if metadata is None or "Name" not in metadata:
            return _Metadata("", problem="it has no Name")
        texts: list[str] = [it for it in distribution.requires or () if _ALL_OF in it.lower()]
        requirements = [Requirement(it) for it in texts]
        all_of = tuple(it for it in requirements if _is_for(_ALL_OF, it))
        any_of = tuple(it for it in requirements if _is_for(_ANY_OF, it))
        return _Metadata(_normal(metadata["Name"]), all_of, any_of)
    except Exception as error:  # broken metadata may raise anything
        return _Metadata("", problem=" ".join(f"{type(error).__name__}: {error}".split()))


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


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower() if ":" not in name else name

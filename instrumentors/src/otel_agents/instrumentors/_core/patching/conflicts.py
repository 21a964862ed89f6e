"""Several instrumentations of one library: which exist, which are active, which one runs.

The metadata of a package says what it instruments; OpenTelemetry's loader reads them too. Its code
is not loaded, since that may import the library. Registered is not active: a package may be
disabled or not support the installed version, and deferring to it would leave nothing. A package
that instruments more than we do is never switched off for ours: the rest would be lost with it.
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
)
from typing import Any, Final, NamedTuple

from packaging.requirements import Requirement

from otel_agents.instrumentors._core.errors import call_foreign
from otel_agents.instrumentors._core.tables import Bounded

from .versions import installed_version

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
    "registered",
    "registered_conflicts",
    "take_over_loading",
]

GROUP: Final = "opentelemetry_instrumentor"
OURS: Final = "otel_agents_"

_BROADER: Final = frozenset(("opentelemetry-instrumentation-botocore",))
"""Packages that record more than models: they always run; we replace only their model spans."""

_ALL_OF: Final = "instruments"
_ANY_OF: Final = "instruments-any"

_taken_over = False


@dataclass(frozen=True)
class ConflictingInstrumentation:
    """Another instrumentation of a library that we instrument.

    Example:
        >>> from otel_agents.instrumentors.hosting import ConflictingInstrumentation
        >>> theirs = ConflictingInstrumentation(
        ...     "openai", "opentelemetry-instrumentation-openai-v2", "example:OpenAIInstrumentor"
        ... )
        >>> str(theirs)
        'opentelemetry-instrumentation-openai-v2'
    """

    name: str
    """Its entry point: what ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`` takes."""
    distribution: str
    value: str
    is_broader: bool = False
    """Whether it instruments more than we do."""

    def __str__(self) -> str:
        return self.distribution or self.value


def take_over_loading() -> None:
    """Declare that this process's loader resolves conflicts itself.

    Until then, an instrumentor that is loaded while a conflicting one is active is not applied.
    """
    global _taken_over
    _taken_over = True


def loading_is_taken_over() -> bool:
    """Return whether `take_over_loading` was called in this process."""
    return _taken_over


def registered(group: str) -> list[EntryPoint]:
    """Return the entry points of ``group``; what is installed is read once."""
    return list(_scanned(tuple(sys.path)).select(group=group))


@lru_cache(maxsize=1)  # a scan reads every distribution
def _scanned(path: tuple[str, ...]) -> Any:
    # Its type differs before Python 3.12; `select` is common:
    # https://github.com/python/importlib_metadata/pull/405
    return entry_points()


def is_ours(entry_point: EntryPoint) -> bool:
    """Return whether the entry point is an instrumentor of this project."""
    return entry_point.name.startswith(OURS)


def plain_name(entry_point: EntryPoint) -> str:
    """Return the name that users know: ``openai`` for ``otel_agents_openai``."""
    return entry_point.name.removeprefix(OURS)


def active_conflicts(
    instrumentor: type, disabled: Iterable[str] = ()
) -> tuple[ConflictingInstrumentation, ...]:
    """Return the other instrumentations that would be loaded for this instrumentor's library.

    Args:
        instrumentor: One of our classes. Its ``requires`` name the library; its ``conflicting``
            name distributions or entry points' values whose metadata do not.
        disabled: Names in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``.
    """
    off = set(disabled)
    return tuple(
        conflict
        for entry_point, conflict in _conflicts(instrumentor)
        if conflict.name not in off and "*" not in off and not refuses(entry_point)
    )


def registered_conflicts(instrumentor: type) -> tuple[ConflictingInstrumentation, ...]:
    """Return the other instrumentations of this instrumentor's library, active or not."""
    return tuple(conflict for _, conflict in _conflicts(instrumentor))


def metadata_problem(entry_point: EntryPoint) -> str | None:
    """Return why the metadata of ``entry_point`` cannot be read; None if they can."""
    return _metadata_of(entry_point).problem


def refuses(entry_point: EntryPoint) -> bool:
    """Return whether the metadata of ``entry_point`` exclude the installed versions."""
    metadata = _metadata_of(entry_point)
    any_of = metadata.any_of
    return not all(map(_is_met, metadata.all_of)) or (
        bool(any_of) and not any(map(_is_met, any_of))
    )


class _Metadata(NamedTuple):
    """What the metadata of a distribution declare."""

    name: str
    all_of: tuple[Requirement, ...] = ()
    """What it instruments, if all of them are installed."""
    any_of: tuple[Requirement, ...] = ()
    problem: str | None = None
    """Why they cannot be read."""


_READ: Final[Bounded[Any, _Metadata]] = Bounded(64, inherited=True)
"""What was read, by where it is."""


class _OtherInstrumentation(NamedTuple):
    """An instrumentation that is not ours."""

    entry_point: EntryPoint
    distribution: str
    libraries: frozenset[str]
    """What it instruments, of all that its distribution declares."""


def _conflicts(instrumentor: type) -> Iterator[tuple[EntryPoint, ConflictingInstrumentation]]:
    named = {_normal(name) for name in getattr(instrumentor, "conflicting", ())}
    libraries = _required(instrumentor)
    for entry_point, distribution, theirs in _others(tuple(sys.path)):
        is_known = not named.isdisjoint((_normal(distribution), _normal(entry_point.value)))
        if is_known or libraries & theirs:
            is_broader = not is_known and not theirs <= libraries | _all_of_ours(tuple(sys.path))
            yield (
                entry_point,
                ConflictingInstrumentation(
                    entry_point.name, distribution, entry_point.value, is_broader
                ),
            )


@lru_cache(maxsize=1)
def _others(path: tuple[str, ...]) -> tuple[_OtherInstrumentation, ...]:
    others = [(it, _metadata_of(it)) for it in registered(GROUP) if not is_ours(it)]
    points = Counter(it.name for _, it in others)
    return tuple(
        _OtherInstrumentation(point, it.name, _libraries(point, it, alone=points[it.name] == 1))
        for point, it in others
        if it.problem is None and _normal(it.name) not in _BROADER
    )


def _libraries(entry_point: EntryPoint, metadata: _Metadata, *, alone: bool) -> frozenset[str]:
    """Return all of the distribution; only one if several entry points share it by name."""
    listed = {_normal(it.name) for it in (*metadata.all_of, *metadata.any_of)}
    named = listed & {_normal(entry_point.name)}
    return frozenset(named if named and not alone else listed)


def _required(instrumentor: type) -> frozenset[str]:
    """Return the distributions that one of our instrumentors is for."""
    required: Iterable[str] = getattr(instrumentor, "requires", ())
    return frozenset(_normal(Requirement(it).name) for it in required)


@lru_cache(maxsize=1)
def _all_of_ours(path: tuple[str, ...]) -> frozenset[str]:
    """Return what we instrument: distributions, and packages, which others may hold too."""
    found: set[str] = set()
    for entry_point in filter(is_ours, registered(GROUP)):
        instrumentor: Any = call_foreign("looking for instrumentors", entry_point.load, None)
        found |= _required(instrumentor)
        found.update(map(_normal, getattr(instrumentor, "packages", ())))
    return frozenset(found)


def _metadata_of(entry_point: EntryPoint) -> _Metadata:
    """Return the metadata of the distribution; a stray folder may have none."""
    distribution: Any = entry_point.dist
    if distribution is None:
        return _Metadata("")
    # Each access to its metadata reads and parses the file, and a distribution has an object for
    # each scan: OpenTelemetry's loader makes one, too.
    location = getattr(distribution, "_path", distribution)
    known = _READ.get(location)
    return _READ.setdefault(location, _read(distribution)) if known is None else known


def _read(distribution: Any) -> _Metadata:
    try:
        metadata: PackageMetadata | None = distribution.metadata  # importlib_metadata: may be None
        if metadata is None or "Name" not in metadata:
            return _Metadata("", problem="it has no Name")
        required = metadata.get_all("Requires-Dist") or distribution.requires or ()
        requirements = [Requirement(it) for it in required if _ALL_OF in it.lower()]
        all_of = tuple(it for it in requirements if _is_for(_ALL_OF, it))
        any_of = tuple(it for it in requirements if _is_for(_ANY_OF, it))
        return _Metadata(metadata["Name"], all_of, any_of)
    except Exception as error:  # broken metadata may raise anything
        return _Metadata("", problem=" ".join(f"{type(error).__name__}: {error}".split()))


def _is_for(extra: str, requirement: Requirement) -> bool:
    """Return whether a requirement belongs to the extra, and not to the plain distribution."""
    marker = requirement.marker
    if marker is None:
        return False
    return marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""})


def _is_met(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(installed_version(requirement.name), prereleases=True)
    except (PackageNotFoundError, KeyError, TypeError):  # or broken metadata
        return False


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower() if ":" not in name else name

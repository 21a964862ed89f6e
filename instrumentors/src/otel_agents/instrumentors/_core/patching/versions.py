"""Which version of a library is installed, and whether it should have a target."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution, entry_points
from typing import Final, TypeAlias

from packaging.version import InvalidVersion, Version

from otel_agents.instrumentors._core.errors import guarded

__all__ = ["Bound", "Distributions", "distribution_of", "installed_version"]

Bound: TypeAlias = str | Mapping[str, str | None] | None
"""A version, or one for each of several distributions that hold the same import."""


_OURS: Final = __name__.partition("._core")[0]
_VERSION: Final = re.compile(r"^Version:[ \t]*(\S+)[ \t]*$", re.MULTILINE)


def installed_version(name: str) -> str:
    """Return the version of a distribution, as `importlib.metadata.version` does.

    That one parses the whole file, which for most libraries is their README: 0.4 ms at the start of
    every program for each of them. Each is read once: several instrumentations ask for it.

    Raises:
        PackageNotFoundError: It is not installed.
    """
    return _version_on(tuple(sys.path), name)


@lru_cache(maxsize=64)
def _version_on(path: tuple[str, ...], name: str) -> str:
    found = distribution(name)
    header = (found.read_text("METADATA") or "").partition("\n\n")[0]
    match = _VERSION.search(header)
    return found.version if match is None else match[1]


class Distributions:
    """The distributions that may hold an instrumentor's packages.

    Args:
        names: The distributions, as the requirements of the instrumentor name them.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)

    def expects(self, module: str, since: Bound, until: Bound) -> bool:
        """Return whether the installed version should have a target of ``module``.

        If the version is unknown, as of a checkout, it should.
        """
        if since is None and until is None:
            return True
        name = self._distribution_of(module)
        installed = _installed(name) if name is not None else None
        if name is None or installed is None:
            return True
        if isinstance(since, Mapping) and name not in since:
            return False
        first, last = _bound(since, name), _bound(until, name)
        return (first is None or installed >= first) and (last is None or installed < last)

    def _distribution_of(self, module: str) -> str | None:
        """Return the installed distribution that holds ``module``; by name if no file list says."""
        top, _, below = module.partition(".")
        named = [name for name in self._names if _installed(name) is not None]
        by_files = (name for name in named if _holds(name, top))
        below = below.partition(".")[0]
        by_name = (name.replace("_", "-") for name in (top, f"{top}-{below}"))
        candidates = (
            *by_files,
            *(name for name in by_name if _installed(name) is not None),
            *named,
        )
        return candidates[0] if candidates else None


def distribution_of(module: str) -> str:
    """Return the distribution with an instrumentor's module; its top package if unknown."""
    if module.startswith(f"{_OURS}."):
        return "otel-agents"
    top = module.partition(".")[0]
    return _entry_point_distribution(top) or top


@guarded("looking for the distribution of a module")
def _entry_point_distribution(top: str) -> str | None:
    """Return the distribution of the entry point that is in a top package."""
    for entry_point in entry_points(group="opentelemetry_instrumentor"):
        if entry_point.dist is not None and entry_point.module.partition(".")[0] == top:
            return entry_point.dist.name
    return None


@lru_cache(maxsize=256)
def _holds(name: str, top: str) -> bool:
    """Return whether a distribution has files in a top package; some of several are empty."""
    record = distribution(name).read_text("RECORD") or ""
    return record.startswith(f"{top}/") or f"\n{top}/" in record


def _bound(bound: Bound, name: str) -> Version | None:
    text = bound.get(name) if isinstance(bound, Mapping) else bound
    return Version(text) if text is not None else None


@lru_cache(maxsize=64)
def _installed(name: str) -> Version | None:
    """Return the version of a distribution; a pre-release counts as its release."""
    try:
        metadata = distribution(name).metadata
        # Reading a missing key warns since Python 3.12 (DeprecationWarning):
        # https://github.com/python/importlib_metadata/pull/417
        if "Version" not in metadata:
            return None
        return Version(Version(metadata["Version"]).base_version)
    except (PackageNotFoundError, InvalidVersion, KeyError, TypeError):  # or broken metadata
        return None

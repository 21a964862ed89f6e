"""Which attribute holds content, looked up by its name: decided once for each name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeVar

from otel_agents.semconv.foreign import CONVENTIONS, VOCABULARIES, Vocabulary

__all__ = ["Kinds", "Looked", "Unshown", "kinds_of", "stored", "vocabularies_shown_by"]

_MOST: Final = 4096
"""Names that are remembered; names may hold an index, or anything."""
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})

_Value = TypeVar("_Value")


class Looked(dict[str, _Value]):
    """A bounded memory of a function of a name: a known name costs one look-up."""

    def __init__(self, function: Callable[[str], _Value]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, name: str) -> _Value:
        value = self._function(name)
        if len(self) < _MOST:
            self[name] = value
        return value


class Kinds(Looked["str | None"]):
    """The kind of the content under a name, in some vocabularies; None if it holds none."""

    def __init__(self, vocabularies: frozenset[Vocabulary]) -> None:
        super().__init__(self._kind)
        self._vocabularies = [one for one in VOCABULARIES if one in vocabularies]
        self.events = frozenset[str]().union(*(one.events for one in vocabularies))

    def _kind(self, name: str) -> str | None:
        found = (one.kind_of(name) for one in self._vocabularies)
        return next((kind for kind in found if kind is not None), None)


class Unshown:
    """A bounded memory of names that show no GenAI telemetry: most spans and records have no other.

    Example:
        >>> unshown = Unshown()
        >>> unshown.has(["http.route", "input.value"]), unshown.has(["openinference.span.kind"])
        (True, False)
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        """Those that were seen before."""

    def has(self, names: Collection[str]) -> bool:
        """Return whether none of ``names`` shows any."""
        if self.names.issuperset(names):
            return True
        if any(map(shown_by, names)):
            return False
        if len(self.names) < _MOST:
            self.names.update(names)
        return True


def stored(attributes: Any) -> Mapping[str, Any]:
    """Return attributes of the SDK as it stores them: it copies them to iterate them."""
    return getattr(attributes, "_dict", attributes) or _NONE


@lru_cache(maxsize=64)
def kinds_of(vocabularies: frozenset[Vocabulary]) -> Kinds:
    """Return the kinds of content in ``vocabularies``."""
    return Kinds(vocabularies)


@lru_cache(maxsize=_MOST)
def shown_by(name: str) -> frozenset[Vocabulary] | None:
    """Return the vocabularies that one name shows; None if it shows none."""
    found = frozenset(one for one in VOCABULARIES if one.is_shown_by(name))
    return found | {CONVENTIONS} if found else None


def vocabularies_shown_by(names: Iterable[str]) -> frozenset[Vocabulary]:
    """Return the vocabularies that attributes or events show; none where it is no GenAI telemetry.

    Example:
        >>> [one.name for one in vocabularies_shown_by(["http.route", "input.value"])]
        []
    """
    return frozenset[Vocabulary]().union(*filter(None, map(shown_by, names)))

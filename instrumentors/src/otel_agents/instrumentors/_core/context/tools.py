"""The tool that a context works in."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator
from typing import Final

__all__ = ["ToolScope"]

_SPECIAL: Final = re.compile(r"\W+")
_SEPARATORS: Final = ("__", ".", "/", ":")
"""What stands between a server and its tool. A single underscore may be part of either name."""


class ToolScope:
    """A tool in progress.

    Attributes:
        name: ``gen_ai.tool.name``.
        remote_name: What the server calls it that executes it, if a framework has given it another
            name.
        enriched: Whether a layer below has added its details to the operation; at most one may.
    """

    __slots__ = ("_operation", "enriched", "name", "remote_name")

    def __init__(self, name: str, operation: object) -> None:
        self.name = name
        self.remote_name: str | None = None
        self.enriched = False
        self._operation = weakref.ref(operation)  # avoids a cycle: its context holds this scope

    @property
    def operation(self) -> object | None:
        """The operation that records it; None once it is over and collected."""
        return self._operation()

    def is_call_of(self, name: str) -> bool:
        """Return whether it is the call of the tool that a server knows as ``name``.

        A framework may have put the server before the name, and replaced characters that a model
        does not accept.
        """
        known = _plain(name)
        if self.remote_name is not None:
            return _plain(self.remote_name) == known
        return any(_plain(one) == known for one in _unprefixed(self.name))


def _unprefixed(name: str) -> Iterator[str]:
    """Yield ``name``, and what it is without anything that may be a server's name."""
    yield name
    for separator in _SEPARATORS:
        parts = name.split(separator)
        yield from (separator.join(parts[start:]) for start in range(1, len(parts)))


def _plain(name: str) -> str:
    return _SPECIAL.sub("_", name).lower()

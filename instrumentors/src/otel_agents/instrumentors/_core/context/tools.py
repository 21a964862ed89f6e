"""The tool that a context works in."""

from __future__ import annotations

import weakref

__all__ = ["ToolScope"]


class ToolScope:
    """A tool in progress.

    Attributes:
        name: ``gen_ai.tool.name``.
        enriched: Whether a layer below has told the operation what only it knows, as at most one
            may.
    """

    __slots__ = ("_operation", "enriched", "name")

    def __init__(self, name: str, operation: object) -> None:
        self.name = name
        self.enriched = False
        self._operation = weakref.ref(operation)  # which holds a context with this in it

    @property
    def operation(self) -> object | None:
        """The operation that records it; None where it is over and nobody holds it."""
        return self._operation()

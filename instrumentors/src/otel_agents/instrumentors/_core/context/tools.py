"""The tool that a context works in."""

from __future__ import annotations

import weakref

__all__ = ["ToolScope"]


class ToolScope:
    """A tool in progress.

    Attributes:
        name: ``gen_ai.tool.name``.
        enriched: Whether a layer below has added its details to the operation; at most one may.
    """

    __slots__ = ("_operation", "enriched", "name")

    def __init__(self, name: str, operation: object) -> None:
        self.name = name
        self.enriched = False
        self._operation = weakref.ref(operation)  # avoids a cycle: its context holds this scope

    @property
    def operation(self) -> object | None:
        """The operation that records it; None once it is over and collected."""
        return self._operation()

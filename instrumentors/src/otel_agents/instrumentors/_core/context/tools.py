"""The tool that a context works in."""

from __future__ import annotations

__all__ = ["ToolScope"]


class ToolScope:
    """A tool in progress.

    Attributes:
        name: ``gen_ai.tool.name``.
        operation: The operation that records it, to set on it what only a layer below knows.
        enriched: Whether a layer below has done so, as at most one may.
    """

    __slots__ = ("enriched", "name", "operation")

    def __init__(self, name: str, operation: object) -> None:
        self.name = name
        self.operation = operation
        self.enriched = False

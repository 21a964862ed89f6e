"""The tools that an agent has in a turn, and what they are said to be good for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

__all__ = ["Tools", "described"]


class Tools:
    """The tools of an agent, and those that it was given for a turn.

    Args:
        agent: The agent.
        given: What it was given for the turn.
    """

    __slots__ = ("_agent", "_given")

    def __init__(self, agent: Any, given: Iterable[Any]) -> None:
        self._agent = agent
        self._given = given

    def find(self, name: str) -> Any:
        """The tool of that name, None where none is known."""
        known = (*getattr(self._agent, "tools", ()), *self._given)
        return next((one for one in _each(known) if getattr(one, "name", None) == name), None)


def _each(tools: Iterable[Any]) -> Iterator[Any]:
    """The tools, and those in toolkits."""
    for tool in tools:
        yield tool
        inner = getattr(tool, "tools", ())
        if isinstance(inner, (list, tuple)):
            yield from inner


def described(tool: Any) -> str | None:
    """The description that was written for a tool."""
    function = getattr(getattr(tool, "schema", None), "function", None)
    description = getattr(function, "description", None)
    return description if isinstance(description, str) and description else None

"""Names and descriptions of tools, as their authors wrote them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from crewai.events.types.tool_usage_events import ToolUsageEvent
    from crewai.tools import BaseTool
    from crewai.tools.structured_tool import CrewStructuredTool

__all__ = ["find_tool", "original_description", "sanitized"]

_DELEGATION: Final = "crewai.tools.agent_tools"
_NAMES: Final = "crewai.utilities.string_utils"
# Early versions append the original to the description that they put into the prompt.
_MARKER: Final = "Tool Description: "


def sanitized(name: Any) -> str:
    """Return a tool's name as CrewAI sends it to models."""
    # Versions without `sanitize_tool_name` send it unchanged.
    sanitize: Any = getattr(sys.modules.get(_NAMES), "sanitize_tool_name", str)
    return sanitize(str(name))


def find_tool(source: Any, event: ToolUsageEvent) -> Any:
    """Return the tool of ``event`` from its caller, ``source``; None if it is unknown."""
    name = sanitized(event.tool_name)
    for attribute in ("original_tools", "tools"):
        for tool in getattr(source, attribute, None) or ():
            if sanitized(getattr(tool, "name", "")) == name:
                return tool
    return None


def original_description(tool: BaseTool | CrewStructuredTool | None) -> str | None:
    """Return the description that the tool's author wrote.

    None for delegation tools: CrewAI puts roles into theirs, and inputs into the roles.
    """
    original = getattr(tool, "_original_tool", None) or tool
    if type(original).__module__.startswith(_DELEGATION):
        return None
    description = getattr(original, "description", None)
    if not isinstance(description, str):
        return None
    head, found, tail = description.partition(_MARKER)
    return tail if found and head.startswith("Tool Name: ") else description

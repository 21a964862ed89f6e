"""What tools are said to be good for, by those who wrote them."""

from __future__ import annotations

import sys
from typing import Any, Final

__all__ = ["spelled", "tool_of", "written_description"]

_DELEGATION: Final = "crewai.tools.agent_tools"
_NAMES: Final = "crewai.utilities.string_utils"
_WRITTEN: Final = "Tool Description: "
"""Where early versions put what was written, at the end of the text that they tell the model."""


def spelled(name: Any) -> str:
    """A tool's name as CrewAI spells it for models, in versions that do."""
    spelling: Any = getattr(sys.modules.get(_NAMES), "sanitize_tool_name", str)
    return spelling(str(name))


def tool_of(source: Any, event: Any) -> Any:
    """The tool that ``event`` of ``source`` (who calls it) is about; None if it is not known."""
    wanted = spelled(event.tool_name)
    for listed in ("original_tools", "tools"):
        for tool in getattr(source, listed, None) or ():
            if spelled(getattr(tool, "name", "")) == wanted:
                return tool
    return None


def written_description(tool: Any) -> str | None:
    """The description as it was written.

    None for the tools of delegation: CrewAI fills theirs with roles, and those with inputs.
    """
    written = getattr(tool, "_original_tool", None) or tool
    if type(written).__module__.startswith(_DELEGATION):
        return None
    description = getattr(written, "description", None)
    if not isinstance(description, str):
        return None
    head, found, tail = description.partition(_WRITTEN)
    return tail if found and head.startswith("Tool Name: ") else description

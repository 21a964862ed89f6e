"""Tools in versions without an event bus: by the method that calls them, and by what it asks."""

from __future__ import annotations

import sys
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._tools import TOOL, ToolRun, discard_if_found

__all__ = ["failed", "repeated", "used"]

_BUS: Final = "crewai.events.event_bus"


def used(telemetry: Telemetry, call: Call) -> ToolRun | None:
    """``ToolUsage._use(tool_string, tool, calling)``, which tries again inside of itself."""
    if _BUS in sys.modules:
        return None
    tool, calling = call.argument(1, "tool"), call.argument(2, "calling")
    name, before = str(tool.name), TOOL.get()
    again = before is not None and before.error_type is not None and before.subject == name
    parent = before.outer if again and before is not None else None
    run = ToolRun(telemetry, name, getattr(calling, "arguments", None), parent)
    run.describe(tool)
    return run


def repeated(telemetry: Telemetry, call: Call, result: Any) -> None:
    """``ToolUsage._check_tool_repeated_usage(calling)``: a call like the last one is refused."""
    tool = None if _BUS in sys.modules else TOOL.get()
    if tool is not None:
        discard_if_found(tool, result)


def failed(telemetry: Telemetry, call: Call) -> None:
    """``ToolUsage.on_tool_error(tool, tool_calling, e)``: what was raised goes no further."""
    tool = None if _BUS in sys.modules else TOOL.get()
    error: Any = call.argument(2, "e")
    if tool is not None:
        tool.failed(error)

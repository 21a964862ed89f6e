"""Tools in versions without an event bus, by the methods that call them."""

from __future__ import annotations

import sys
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._tools import TOOL, ToolRun, discard_if_found

__all__ = ["on_repeated_usage", "on_tool_error", "tool_use"]

_BUS: Final = "crewai.events.event_bus"


def tool_use(telemetry: Telemetry, call: Call) -> ToolRun | None:
    """Start ``ToolUsage._use(tool_string, tool, calling)``, which calls itself for a retry."""
    if _BUS in sys.modules:
        return None
    tool, calling = call.argument(1, "tool"), call.argument(2, "calling")
    name, previous = str(tool.name), TOOL.get()
    is_retry = previous is not None and previous.error_type is not None and previous.subject == name
    parent = previous.outer if is_retry and previous is not None else None
    run = ToolRun(telemetry, name, getattr(calling, "arguments", None), parent)
    run.describe(tool)
    return run


def on_repeated_usage(telemetry: Telemetry, call: Call, result: Any) -> None:
    """Discard a call that ``ToolUsage._check_tool_repeated_usage(calling)`` rejects."""
    tool = None if _BUS in sys.modules else TOOL.get()
    if tool is not None:
        discard_if_found(tool, result)


def on_tool_error(telemetry: Telemetry, call: Call) -> None:
    """Record the error of ``ToolUsage.on_tool_error(tool, tool_calling, e)``, which hides it."""
    tool = None if _BUS in sys.modules else TOOL.get()
    error: Any = call.argument(2, "e")
    if tool is not None:
        tool.failed(error)

"""Tools that the SDK itself executes for the application: computers, shells, patches."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.operations import ExecuteTool, Operation
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, field, plain, text
from otel_agents.instrumentors._dialects.openai.parts import content_parts
from otel_agents.semconv import attributes as attr

from ._frames import RUNS, Frame, current_frame, enter
from ._tools import shows_invocations

__all__ = ["TOOLS", "native_tool", "on_approval_status", "within_native_tool"]

TOOLS: Final = MappingProxyType(
    {
        "ApplyPatchAction": "apply_patch_tool",
        "ComputerAction": "computer_tool",
        "CustomToolAction": "custom_tool",
        "LocalShellAction": "local_shell_tool",
        "ShellAction": "shell_tool",
    }
)
"""The class that executes each tool, and the name of the tool in the call."""
_ARGUMENTS: Final = ("action", "actions", "operation", "input")
_WAITS: Final = "ToolApprovalItem"


class _NativeCall(Observation):
    """A call of a tool, which may be rejected or wait for approval: then nothing was executed.

    The SDK has a span of its own within it, unless the application disables tracing for the run.
    """

    def __init__(self, telemetry: Telemetry, name: str, call: Any) -> None:
        def begin(parent: Context) -> Operation:
            tool = ExecuteTool(
                telemetry, name, call_id=text(call, "call_id"), result=_result, parent=parent
            )
            if tool.content.enabled:
                tool.content.tool_arguments = _arguments(call)
            return tool

        super().__init__(enter(self, begin))
        found = RUNS.find(self)
        self._frame: Frame | None = found.facts if found is not None else None

    def returned(self, value: Any) -> Any:
        """Record the result, which may be that an executor failed."""
        frame = self._frame
        if type(value).__name__ == _WAITS or (frame is not None and not frame.executed):
            RUNS.end(self, lambda operation: operation.discard())
        elif frame is not None and frame.error is not None:
            RUNS.fail(self, frame.error)
        else:
            RUNS.end(self, lambda operation: _returned(operation, value))
        return value

    def failed(self, error: BaseException) -> None:
        """Record what the call raised, which the agent raises as well."""
        RUNS.fail(self, error)
        if self._frame is not None and self._frame.run is not None:
            self._frame.run.passed(error)

    def end(self) -> None:
        """End what is left."""
        RUNS.end(self)


def _returned(operation: Operation, item: Any) -> None:
    if field(field(item, "raw_item"), "status") == "failed":
        operation.mark_failed(None)
    operation.returned(item)


def _arguments(call: Any) -> dict[str, Any]:
    found = {name: plain(field(call, name)) for name in _ARGUMENTS}
    return {name: value for name, value in found.items() if value is not None}


def _result(item: Any) -> Any:
    """Return the output of a tool; a screenshot is described, not included."""
    output = as_mapping(plain(field(item, "raw_item"))).get("output")
    image = as_mapping(output).get("image_url")
    if isinstance(image, str):
        return content_parts([{"type": "input_image", "image_url": image}])
    return field(item, "output")


def native_tool(telemetry: Telemetry, call: Call) -> _NativeCall | None:
    """Start ``ShellAction.execute(agent=, call=, …)``; that of computers has an ``action``."""
    given: Any = call.kwargs.get("call") or call.kwargs.get("action")
    tool: Any = next(filter(None, (getattr(given, name, None) for name in TOOLS.values())), None)
    name = getattr(tool, "name", None)
    return _NativeCall(telemetry, name, given.tool_call) if isinstance(name, str) else None


def within_native_tool() -> bool:
    """Return whether a span that starts now is the SDK's for a native tool."""
    frame = current_frame()
    return frame is not None and isinstance(frame.key, _NativeCall)


def on_approval_status(telemetry: Telemetry, call: Call, status: bool | None) -> None:
    """Note whether a call is approved: ``RunContextWrapper.get_approval_status(tool, call_id)``.

    The runner reads it before it executes the call: of a function tool only if that needs approval,
    of a native one always. A tool may read that of any call, and an agent that is a tool reads
    those that its own run waits for.
    """
    found = RUNS.current()
    operation = found.operation if found is not None else None
    if found is None or not isinstance(operation, ExecuteTool):
        return
    is_native = isinstance(found.facts.key, _NativeCall)
    if found.facts.is_decided or (not is_native and shows_invocations()):
        return
    if operation.known.get(attr.GEN_AI_TOOL_CALL_ID) == call.argument(1, "call_id"):
        found.facts.executed = is_native if status is None else status

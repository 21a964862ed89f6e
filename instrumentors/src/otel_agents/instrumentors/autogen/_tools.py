"""Tools, by the method that executes them, and the tool call that the model requested."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ExecuteCode, ExecuteTool
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import MCP_TOOL_ERROR, ToolType

from ._runs import agent_run, within_tool

if TYPE_CHECKING:
    from autogen_core.code_executor import CodeBlock, CodeResult
    from autogen_core.tools import BaseTool

__all__ = ["code", "mcp_tool", "request_context", "tool"]

_REQUEST: Final[Slot[object]] = Slot("autogen-request", object)
"""The tool call that the model requested; a tool may not get its id."""
_EXECUTOR: Final[Slot[object]] = Slot("autogen-executor", object)
"""The executor that a tool consists of, or that is running."""


class _ToolRun(ExecuteTool):
    """A call of a tool, which returns its result at once or at the end of a stream."""

    __slots__ = ("_last",)

    def __init__(self, telemetry: Telemetry, name: str, call_id: Any, tool_type: ToolType) -> None:
        parent = get_current()
        super().__init__(telemetry, name, tool_type=tool_type.value, parent=parent)
        self._last: Any = None
        run = agent_run(parent)
        if run is not None:
            run.executed.add(name)
        call_id = call_id or _requested_id(name, parent)
        if isinstance(call_id, str):
            self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id
        self.context = _REQUEST.set(None, within_tool(self.context))

    def respond(self, value: Any) -> None:
        """Record the result."""
        if getattr(value, "is_error", False):
            is_remote = self.known.get(attr.GEN_AI_TOOL_TYPE) == ToolType.EXTENSION.value
            self.mark_failed(MCP_TOOL_ERROR if is_remote else None)
        if self.content.enabled:
            self.content.tool_result = value

    def chunk(self, item: Any) -> object:
        """Keep the last item of a stream, which is the result."""
        self._last = item
        return None

    def conclude(self) -> None:
        """Record the result of a stream that was read to its end."""
        abandoned = attr.OTEL_AGENTS_STREAM_ABANDONED in self.attributes
        if self._last is not None and self.error_type is None and not abandoned:
            self.observe(self._last)


def _requested_id(name: str, context: Context) -> str | None:
    """Return the id of the model's tool call, where the tool does not get it."""
    request: Any = _REQUEST.get(context)
    return request.id if request is not None and request.name == name else None


def request_context(telemetry: Telemetry, call: Call) -> Context:
    """Keep the tool call: ``AssistantAgent._execute_tool_call(tool_call, …)``."""
    return _REQUEST.set(call.argument(0, "tool_call"))


def tool(telemetry: Telemetry, call: Call) -> ExecuteTool:
    """Start ``BaseTool.run_json(args, token, call_id)`` or ``BaseStreamTool.run_json_stream``."""
    tool: BaseTool[Any, Any] = call.instance
    run = _ToolRun(telemetry, tool.name, call.argument(2, "call_id"), ToolType.FUNCTION)
    if run.detailed and tool.description:
        run.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = tool.description
    if telemetry.gate.enabled:
        run.content.tool_arguments = call.argument(0, "args")
    run.context = _EXECUTOR.set(getattr(tool, "_executor", None), run.context)
    return run


def mcp_tool(telemetry: Telemetry, call: Call) -> ExecuteTool:
    """Start ``McpWorkbench.call_tool(name, arguments, token, call_id)``; a server executes it."""
    name, call_id = call.argument(0, "name"), call.argument(3, "call_id")
    run = _ToolRun(telemetry, name, call_id, ToolType.EXTENSION)
    if telemetry.gate.enabled:
        run.content.tool_arguments = call.argument(1, "arguments")
    return run


def code(telemetry: Telemetry, call: Call) -> ExecuteCode | None:
    """Start ``CodeExecutor.execute_code_blocks(code_blocks, token)``.

    None where the executor runs already, or where the tool around it does nothing else.
    """
    if _EXECUTOR.get() is call.instance:
        return None
    code_blocks: list[CodeBlock] = call.argument(0, "code_blocks")
    blocks = ((block.language, block.code) for block in code_blocks)
    run = ExecuteCode(telemetry, blocks, _outcome)
    run.context = _EXECUTOR.set(call.instance, within_tool(run.context))
    return run


def _outcome(result: CodeResult) -> tuple[int, str]:
    return result.exit_code, result.output

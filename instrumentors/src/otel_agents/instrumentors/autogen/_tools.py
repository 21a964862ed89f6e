"""Tools, by the method that executes them, and by what the model has asked for."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context, create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.operations import ExecuteTool
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import ToolType

from ._runs import agent_run, within_tool

__all__ = ["asked", "code", "executed", "served"]

_ASKED: Final = create_key("otel_agents-autogen-asked")
_EXECUTING: Final = create_key("otel_agents-autogen-executing")
_CODE: Final = "code_execution"


class _Tool(ExecuteTool):
    """A tool's call, which gives its result at once or at the end of a stream."""

    __slots__ = ("_result",)

    def __init__(self, telemetry: Telemetry, name: str, call: Call, place: int, **known: Any):
        parent = get_current()
        super().__init__(telemetry, name, parent=parent, **known)
        self._result: Any = None
        run = agent_run(parent)
        if run is not None:
            run.executed.add(name)
        call_id = call.argument(place, "call_id")
        call_id = call_id or _asked_id(name, parent)
        if isinstance(call_id, str):
            self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id
        self.context = set_value(_ASKED, None, within_tool(self.context))

    def respond(self, value: Any) -> None:
        """Keep the result."""
        if getattr(value, "is_error", False):
            self.reject(None)
        if self._gate.wanted:
            self.content.tool_result = value

    def chunk(self, item: Any) -> object:
        """The last item of a stream is the result."""
        self._result = item
        return None

    def exhausted(self, value: Any) -> None:
        """The stream is at its end."""
        self.observe(self._result)
        super().exhausted(value)


def _asked_id(name: str, context: Context) -> str | None:
    """The id of the model's request, where the tool is not told of it."""
    request: Any = get_value(_ASKED, context)
    return request.id if request is not None and request.name == name else None


def asked(telemetry: Telemetry) -> Begin:
    """``AssistantAgent._execute_tool_call(tool_call, …)``."""

    def begin(call: Call) -> Running | None:
        request = call.argument(0, "tool_call")
        return Passing(set_value(_ASKED, request))

    return begin


def executed(telemetry: Telemetry) -> Begin:
    """``BaseTool.run_json(args, token, call_id)`` and ``BaseStreamTool.run_json_stream``."""

    def begin(call: Call) -> Running | None:
        tool: Any = call.instance
        run = _Tool(telemetry, tool.name, call, 2)
        if run.detailed and tool.description:
            run.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = tool.description
        if telemetry.gate.wanted:
            run.content.tool_arguments = call.argument(0, "args")
        run.context = set_value(_EXECUTING, getattr(tool, "_executor", None), run.context)
        return run

    return begin


def served(telemetry: Telemetry) -> Begin:
    """``McpWorkbench.call_tool(name, arguments, token, call_id)``: executed by a server."""

    def begin(call: Call) -> Running | None:
        name = call.argument(0, "name")
        run = _Tool(telemetry, name, call, 3, tool_type=ToolType.EXTENSION.value)
        if telemetry.gate.wanted:
            run.content.tool_arguments = call.argument(1, "arguments")
        return run

    return begin


class _CodeRun(ExecuteTool):
    """Code that a model has written is executed."""

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, executor: Any, blocks: Any) -> None:
        super().__init__(telemetry, _CODE, tool_type=ToolType.EXTENSION.value)
        if telemetry.gate.wanted:
            self.content.tool_arguments = {
                "code_blocks": [{"language": one.language, "code": one.code} for one in blocks]
            }
        self.context = set_value(_EXECUTING, executor, within_tool(self.context))

    def respond(self, value: Any) -> None:
        """Keep the output, and whether the code came to its end."""
        if value.exit_code:
            self.reject(None)
        if self._gate.wanted:
            self.content.tool_result = value.output


def code(telemetry: Telemetry) -> Begin:
    """``CodeExecutor.execute_code_blocks(code_blocks, token)``, unless a tool is nothing else."""

    def begin(call: Call) -> Running | None:
        if get_value(_EXECUTING) is call.instance:
            return None
        return _CodeRun(telemetry, call.instance, call.argument(0, "code_blocks"))

    return begin

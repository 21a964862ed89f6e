"""Tools that run in this process, and code written by a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.context.scope import scope_of, with_scope
from otel_agents.instrumentors._core.context.tools import ToolScope
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from . import kinds
from .agents import Internal

__all__ = ["ExecuteCode", "ExecuteTool"]


class ExecuteTool(Internal):
    """One call of a tool in this process (GenAI semconv, "Execute tool").

    Example:
        >>> def run(telemetry, call):
        ...     tool, arguments = call.instance.name, call.argument(0, "arguments")
        ...     return ExecuteTool(telemetry, tool, arguments=arguments, result=str)
        >>> patch = Patch("house:Tool.run", run)

    Args:
        telemetry: What to emit with.
        name: The tool's name.
        tool_type: ``function`` where the application executes it.
        agent_name: The agent that executes it; default is the context's agent.
        call_id: The id of the call in the model's response.
        arguments: The call's arguments: an object, or its JSON.
        result: Makes the recorded result from the call's result; by default none is recorded.
        parent: The parent context; default is the current one.
        start_time: Nanoseconds since the epoch, for a call that started earlier.
        links: Links of the span.
    """

    __slots__ = ("_agent", "_result")
    kind = kinds.TOOL
    operation = values.Operation.EXECUTE_TOOL
    name_attribute = attr.GEN_AI_TOOL_NAME

    def __init__(
        self,
        telemetry: Telemetry,
        name: str,
        *,
        tool_type: str | None = values.ToolType.FUNCTION.value,
        agent_name: str | None = None,
        call_id: str | None = None,
        arguments: Any = None,
        result: Callable[[Any], Any] | None = None,
        parent: Context | None = None,
        start_time: int | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        parent = get_current() if parent is None else parent
        self._agent = scope_of(parent).agent
        agent_name = agent_name or (self._agent.name if self._agent else None)
        start_attributes = {attr.GEN_AI_TOOL_TYPE: tool_type, attr.GEN_AI_AGENT_NAME: agent_name}
        super().__init__(
            telemetry,
            name,
            start_attributes={key: value for key, value in start_attributes.items() if value},
            parent=parent,
            start_time=start_time,
            links=links,
        )
        self.context = with_scope(self.context, tool=ToolScope(name, self))
        self._result = result
        if call_id is not None:
            self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id
        if arguments is not None and telemetry.gate.enabled:
            self.content.tool_arguments = arguments

    def respond(self, value: Any) -> None:
        """Record the tool's result, as ``result`` makes it from the call's result."""
        if self._result is not None and self.content.enabled:
            self.content.tool_result = self._result(value)

    def _finalize(self) -> None:
        if self._agent is not None:
            self._agent.add_tool()


class ExecuteCode(ExecuteTool):
    """The execution of code that a model has written: a tool of type ``extension``.

    The recorded result is the code's output; a non-zero exit code is an error.

    Example:
        >>> def execute(telemetry, call):
        ...     blocks = [("python", call.argument(0, "code"))]
        ...     return ExecuteCode(telemetry, blocks, lambda it: (it.exit_code, it.output))
        >>> patch = Patch("house:Sandbox.execute", execute)

    Args:
        telemetry: What to emit with.
        blocks: Language and text of each code block, read only where content is enabled.
        outcome: Makes the exit code and the output from the call's result.
        parent: The parent context; default is the current one.
    """

    __slots__ = ("_outcome",)

    def __init__(
        self,
        telemetry: Telemetry,
        blocks: Iterable[tuple[Any, Any]],
        outcome: Callable[[Any], tuple[Any, Any]],
        *,
        parent: Context | None = None,
    ) -> None:
        super().__init__(
            telemetry, "code_execution", tool_type=values.ToolType.EXTENSION.value, parent=parent
        )
        self._outcome = outcome
        if telemetry.gate.enabled:
            listed = [{"language": language, "code": code} for language, code in blocks]
            self.content.tool_arguments = {"code_blocks": listed}

    def respond(self, value: Any) -> None:
        """Record the output and whether the code succeeded."""
        exit_code, output = self._outcome(value)
        if exit_code:
            self.mark_failed(None)
        if self.content.enabled:
            self.content.tool_result = output

"""Tools that run in the process, and code that a model has written."""

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

    Args:
        telemetry: What to emit with.
        name: The tool's name.
        tool_type: ``function`` where the application executes it.
        agent_name: The agent that executes it; default is the one the context works for.
        arguments: What it is called with: an object, or its JSON.
        result: Makes what is kept of the call's result; default is to keep nothing.
        parent: The context to work in; default is the current one.
        start_time: Nanoseconds since the epoch, if the call began before it was known.
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
        if arguments is not None and telemetry.gate.enabled:
            self.content.tool_arguments = arguments

    def respond(self, value: Any) -> None:
        """Keep the result, as ``result`` makes it of that of the call."""
        if self._result is not None and self.content.enabled:
            self.content.tool_result = self._result(value)

    def _finalize(self) -> None:
        if self._agent is not None:
            self._agent.add_tool()


class ExecuteCode(ExecuteTool):
    """Code that a model has written is executed: a tool that extends the model.

    Its result is the exit code, which says whether the code came to its end, and the output.

    Args:
        telemetry: What to emit with.
        blocks: The language and the text of each piece of code, read only where content is wanted.
        outcome: Makes the exit code and the output of the call's result.
        parent: The context to work in; default is the current one.
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
        """Keep the output, and whether the code came to its end."""
        exit_code, output = self._outcome(value)
        if exit_code:
            self.mark_failed(None)
        if self.content.enabled:
            self.content.tool_result = output

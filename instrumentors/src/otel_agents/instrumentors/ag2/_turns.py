"""A turn of an agent, and what it does on its way: tools, questions to a human."""

from __future__ import annotations

import re
from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.context.identity import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import ExecuteTool, InvokeAgent, Step, error_type
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

from ._clients import is_declared
from ._conversations import place
from ._messages import answer, arguments, request, result
from ._models import Answer, asks_a_model
from ._tools import described

__all__ = ["Turn", "hooks"]

_SUBTASK: Final = re.compile(r"subtask-[0-9a-f]{8}")
_CLIENT_TOOL: Final = "ClientTool"


class Turn(InvokeAgent):
    """One turn of an agent, from what it is asked to its answer."""

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, agent: Any, event: Any, context: Any) -> None:
        conversation, number = place(context)
        super().__init__(telemetry, _name(agent), parent=_inside(conversation))
        if number is not None:
            self.attributes[attr.OTEL_AGENTS_TURN] = number
        if telemetry.gate.wanted:
            self.content.input_messages = request(event)

    def respond(self, value: Any) -> None:
        """Keep the answer."""
        if self._gate.wanted:
            self.content.output_messages = answer(value.response)


def _name(agent: Any) -> str | None:
    """The name that the application gave; AG2 makes one up for each sub-task."""
    name = getattr(agent, "name", None)
    if not isinstance(name, str):
        return None
    return "subtask" if _SUBTASK.fullmatch(name) else name


def _inside(conversation: str | None) -> Context:
    """The current context as part of a conversation, unless it is part of one already."""
    context = get_current()
    if conversation is None or conversation_id(context) is not None:
        return context
    return with_conversation_id(conversation, context)


class ToolRun(ExecuteTool):
    """One execution of a tool, below every middleware."""

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, tool: Any, call: Any) -> None:
        super().__init__(telemetry, str(call.name))
        self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call.id
        description = described(tool)
        if description:
            self.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description
        if telemetry.gate.wanted:
            self.content.tool_arguments = arguments(call)

    def respond(self, value: Any) -> None:
        """Keep the result; what a tool has raised is one, which goes to the model."""
        error = getattr(value, "error", None)
        if isinstance(error, BaseException):
            self.error, self.error_type = error, error_type(error)
        elif self._gate.wanted:
            self.content.tool_result = result(value)


def _tool(telemetry: Telemetry) -> Begin:
    """``on_tool_execution(call_next, event, context)``; a client's tool is executed elsewhere."""

    def begin(call: Call) -> Running | None:
        following, event = call.args[0], call.args[1]
        if type(following).__name__ == _CLIENT_TOOL:
            return None
        tool = following if hasattr(following, "schema") else call.instance.tools.find(event.name)
        return ToolRun(telemetry, tool, event)

    return begin


def _model(telemetry: Telemetry) -> Begin:
    """``on_llm_call(call_next, events, context)``, where `_models.asked` does not see the client."""

    def begin(call: Call) -> Running | None:
        client = getattr(call.args[0], "func", None)
        if client is None or is_declared(client) or not asks_a_model(client):
            return None
        return Answer(telemetry, client, call.args[1], call.args[2])

    return begin


def _human(telemetry: Telemetry) -> Begin:
    """``on_human_input(call_next, event, context)``: somebody is asked, and may take long."""

    def begin(call: Call) -> Running | None:
        return Step(telemetry, "human_input", {})

    return begin


def hooks(telemetry: Telemetry) -> dict[str, Begin]:
    """What begins at each hook of a middleware."""
    return {
        "on_human_input": _human(telemetry),
        "on_llm_call": _model(telemetry),
        "on_tool_execution": _tool(telemetry),
    }

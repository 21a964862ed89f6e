"""Tools and code that agents execute, for their own model or for another agent's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast

from otel_agents.instrumentors._core.calls.around import wrapped
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation, replacing
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.operations import ExecuteCode, ExecuteTool, error_type
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, items, text
from otel_agents.semconv import attributes as attr

from ._places import outside, place

__all__ = ["code", "function_wrapped", "tool"]


class ToolRun(ExecuteTool):
    """A function that an agent executes; what it raises reaches the model, and nobody else.

    ``raised`` is that exception, where the function was registered as a tool.
    """

    __slots__ = ("raised",)

    def __init__(
        self, telemetry: Telemetry, agent: Any, function: Any, call_id: str | None
    ) -> None:
        name = str(function["name"])
        super().__init__(telemetry, name, agent_name=agent.name)
        turn = place().turn
        if turn is not None and self.detailed:
            call_id = call_id or _call_id(turn.question, function)
        if call_id:
            self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id
        caller = _caller(turn) if turn is not None else None
        if caller and caller != agent.name:
            self.attributes[attr.OTEL_AGENTS_TOOL_CALLER] = caller
        description = _description(name, agent, turn) if self.detailed else None
        if description:
            self.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description
        if telemetry.gate.enabled:
            self.content.tool_arguments = function.get("arguments")
        self.raised: BaseException | None = None
        self.context = outside(self.context)

    def raises(self, error: BaseException) -> None:
        """The function has raised ``error``."""
        self.raised = error

    def respond(self, value: Any) -> None:
        """Keep the result, and whether it is one."""
        done, result = value
        if not done:
            self.error = self.raised
            self.mark_failed(error_type(self.raised) if self.raised is not None else None)
        if self.content.enabled:
            self.content.tool_result = result.get("content")


def _caller(turn: Any) -> str | None:
    """The agent whose message asks for the tool: in a group it is named there, else it is the sender."""
    return text(turn.question, "name") or getattr(turn.sender, "name", None)


def _call_id(question: Any, function: Any) -> str | None:
    """The id of the call in the message that asks for it; early versions hand on no id."""
    calls = list(items(question, "tool_calls"))
    same = [call for call in calls if field(call, "function") is function]
    alike = [call for call in calls if field(call, "function") == function]
    return text((same or alike)[0], "id") if alike else None


def _description(name: str, agent: Any, turn: Any) -> str | None:
    """The description that a model that may have asked for the tool was given.

    None for handoffs: what is said of theirs is a part of a prompt, and may be filled in.
    """
    sender = getattr(turn, "sender", None)
    group = getattr(sender, "groupchat", None)
    agents = (agent, sender, *getattr(group, "agents", ()))
    if any(name in _handoffs(one) for one in agents):
        return None
    for one in agents:
        config = getattr(one, "llm_config", None)
        for tool in _offered(config):
            function = field(tool, "function") or tool
            if text(function, "name") == name:
                return text(function, "description")
    return None


def _handoffs(agent: Any) -> list[str]:
    """The names of the functions by which the model of ``agent`` hands over."""
    conditions = getattr(getattr(agent, "handoffs", None), "llm_conditions", ())
    return [
        *(str(getattr(condition, "llm_function_name", "")) for condition in conditions),
        *getattr(agent, "_swarm_conditional_functions", ()),
    ]


def _offered(config: Any) -> list[Any]:
    """The tools in the configuration of a model; it may be False, a dict, or like one."""
    if not hasattr(config, "get"):
        return []
    return [*(config.get("tools") or ()), *(config.get("functions") or ())]


def tool(telemetry: Telemetry, call: Call) -> ToolRun | None:
    """``ConversableAgent.execute_function(func_call, call_id, …)`` and its asynchronous form.

    What an agent does not know, as a name that a model has made up, is not executed.
    """
    function = call.argument(0, "func_call")
    if field(function, "name") not in call.instance.function_map:
        return None
    call_id = call.argument(1, "call_id")
    known = call_id if isinstance(call_id, str) else None
    return ToolRun(telemetry, call.instance, function, known)


def _function(telemetry: Telemetry, call: Call) -> Observation | None:
    """A function in the hands of the agent that executes it: what it raises goes no further."""
    tool = scope_of().tool
    run = tool.operation if tool is not None else None
    return Observation(failed=run.raises) if isinstance(run, ToolRun) else None


def _seen(telemetry: Telemetry, call: Call, value: Any) -> Any:
    return wrapped(value, telemetry, _function)


function_wrapped: Final = replacing(_seen)
"""``ConversableAgent._wrap_function(func, …)``, as a tool is registered, so that it returns a text.

What is wrapped is seen where it is called in a tool's run, and nowhere else.
"""


def code(telemetry: Telemetry, call: Call) -> ExecuteCode:
    """``execute_code_blocks(code_blocks)`` of an executor, or of an agent that has none."""
    run = ExecuteCode(telemetry, _blocks(call.argument(0, "code_blocks")), _outcome)
    run.context = outside(run.context)
    return run


def _blocks(blocks: Any) -> Iterator[tuple[Any, Any]]:
    for block in blocks:
        if isinstance(block, (tuple, list)):
            yield cast("tuple[Any, Any]", block[:2])
        else:
            yield field(block, "language"), field(block, "code")


def _outcome(value: Any) -> tuple[Any, Any]:
    if isinstance(value, tuple):  # of an agent without an executor
        return cast("tuple[Any, Any]", value[:2])
    return getattr(value, "exit_code", None), getattr(value, "output", None)

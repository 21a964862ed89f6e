"""Tools and code that agents execute, for their own model or another agent's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, cast

from otel_agents.instrumentors._core.calls.around import wrapped
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation, replacing
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.operations import ExecuteCode, ExecuteTool, error_type
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, items, text
from otel_agents.semconv import attributes as attr

from ._conversation import Turn, current_state, outside_chat

if TYPE_CHECKING:
    from autogen import ConversableAgent

__all__ = ["code", "tool", "tool_registration"]


class ToolRun(ExecuteTool):
    """A function that an agent executes. Its exception is returned to the model and not raised.

    Attributes:
        raised: That exception, where the function was registered as a tool.
    """

    __slots__ = ("raised",)

    def __init__(
        self, telemetry: Telemetry, agent: ConversableAgent, function: Any, call_id: str | None
    ) -> None:
        name = str(function["name"])
        super().__init__(telemetry, name, agent_name=agent.name)
        turn = current_state().turn
        if turn is not None and self.detailed:
            call_id = call_id or _call_id(turn.request, function)
        if call_id:
            self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id
        caller = _caller_name(turn) if turn is not None else None
        if caller and caller != agent.name:
            self.attributes[attr.OTEL_AGENTS_TOOL_CALLER] = caller
        description = _description(name, agent, turn) if self.detailed else None
        if description:
            self.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description
        if telemetry.gate.enabled:
            self.content.tool_arguments = function.get("arguments")
        self.raised: BaseException | None = None
        self.context = outside_chat(self.context)

    def function_failed(self, error: BaseException) -> None:
        """Keep the exception of the function."""
        self.raised = error

    def respond(self, value: Any) -> None:
        """Record the result or the error."""
        done, result = value
        if not done:
            self.error = self.raised
            self.mark_failed(error_type(self.raised) if self.raised is not None else None)
        if self.content.enabled:
            self.content.tool_result = result.get("content")


def _caller_name(turn: Turn) -> str | None:
    """Return the name of the agent whose message calls the tool; in a group the message has it."""
    return text(turn.request, "name") or getattr(turn.sender, "name", None)


def _call_id(request: Any, function: Any) -> str | None:
    """Return the id of the call, from the message that contains the call."""
    # AutoGen 0.2's execute_function has no parameter for the id.
    calls = list(items(request, "tool_calls"))
    identical = [call for call in calls if field(call, "function") is function]
    equal = [call for call in calls if field(call, "function") == function]
    return text((identical or equal)[0], "id") if equal else None


def _description(name: str, agent: ConversableAgent, turn: Turn | None) -> str | None:
    """Return the description of the tool that the calling model was without_none.

    None for handoffs: their description is part of a prompt, and may contain content.
    """
    sender = getattr(turn, "sender", None)
    group = getattr(sender, "groupchat", None)
    agents = (agent, sender, *getattr(group, "agents", ()))
    if any(name in _handoffs(one) for one in agents):
        return None
    for one in agents:
        config = getattr(one, "llm_config", None)
        for tool in _tools_in(config):
            function = field(tool, "function") or tool
            if text(function, "name") == name:
                return text(function, "description")
    return None


def _handoffs(agent: Any) -> list[str]:
    """Return the names of the functions by which the model of ``agent`` makes a handoff."""
    conditions = getattr(getattr(agent, "handoffs", None), "llm_conditions", ())
    return [
        *(str(getattr(condition, "llm_function_name", "")) for condition in conditions),
        *getattr(agent, "_swarm_conditional_functions", ()),
    ]


def _tools_in(config: Any) -> list[Any]:
    """Return the tools in a model's configuration, which is False, a dict or an ``LLMConfig``."""
    if not hasattr(config, "get"):
        return []
    return [*(config.get("tools") or ()), *(config.get("functions") or ())]


def tool(telemetry: Telemetry, call: Call) -> ToolRun | None:
    """Start at ``ConversableAgent.execute_function(func_call, call_id, …)`` or its async variant.

    Nothing starts for a function that the agent does not have, as one that a model invented.
    """
    agent: ConversableAgent = call.instance
    function = call.argument(0, "func_call")
    if field(function, "name") not in agent.function_map:
        return None
    # The second argument of AutoGen 0.2's execute_function is ``verbose``.
    call_id = call.argument(1, "call_id")
    return ToolRun(telemetry, agent, function, call_id if isinstance(call_id, str) else None)


def _tool_function(telemetry: Telemetry, call: Call) -> Observation | None:
    """Observe the exception of a function that is called in a tool run."""
    tool = scope_of().tool
    run = tool.operation if tool is not None else None
    return Observation(failed=run.function_failed) if isinstance(run, ToolRun) else None


def _observed_function(telemetry: Telemetry, call: Call, value: Any) -> Any:
    return wrapped(value, telemetry, _tool_function)


tool_registration: Final = replacing(_observed_function)
"""Observe the function that ``ConversableAgent._wrap_function(func, …)`` returns for a tool.

Calls outside of a tool run are not observed.
"""


def code(telemetry: Telemetry, call: Call) -> ExecuteCode:
    """Start at ``execute_code_blocks(code_blocks)`` of an executor, or of an agent without one."""
    run = ExecuteCode(telemetry, _blocks(call.argument(0, "code_blocks")), _outcome)
    run.context = outside_chat(run.context)
    return run


def _blocks(blocks: Any) -> Iterator[tuple[Any, Any]]:
    for block in blocks:
        if isinstance(block, (tuple, list)):
            yield cast("tuple[Any, Any]", block[:2])
        else:
            yield field(block, "language"), field(block, "code")


def _outcome(value: Any) -> tuple[Any, Any]:
    if isinstance(value, tuple):  # an agent without an executor returns a tuple
        return cast("tuple[Any, Any]", value[:2])
    return getattr(value, "exit_code", None), getattr(value, "output", None)

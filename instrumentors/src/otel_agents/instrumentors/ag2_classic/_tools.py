"""Tools and code that agents execute, their own or those that another agent has asked for."""

from __future__ import annotations

from typing import Any, Final, cast

from opentelemetry.context import create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running, around
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.calls.switches import Switch
from otel_agents.instrumentors._core.operations import ExecuteTool, error_type
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, items, text
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import ToolType

from . import _scopes

__all__ = ["code", "tool", "wrapped"]

_TOOL: Final = create_key("otel_agents-ag2-tool")
_CODE: Final = "code_execution"


class ToolRun(ExecuteTool):
    """A function that an agent executes; what it raises is told to the model, and nobody else.

    ``raised`` is that exception, where the function was registered as a tool.
    """

    __slots__ = ("raised",)

    def __init__(self, telemetry: Telemetry, agent: Any, asked: Any, call_id: str | None) -> None:
        name = str(asked["name"])
        super().__init__(telemetry, name, agent_name=agent.name)
        turn = _scopes.turn()
        if turn is not None and self.detailed:
            call_id = call_id or _call_id(turn.question, asked)
        if call_id:
            self.attributes[attr.GEN_AI_TOOL_CALL_ID] = call_id
        description = _description(name, agent, turn) if self.detailed else None
        if description:
            self.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = description
        if telemetry.gate.wanted:
            self.content.tool_arguments = asked.get("arguments")
        self.raised: BaseException | None = None
        self.context = set_value(_TOOL, self, _scopes.outside(self.context))

    def respond(self, value: Any) -> None:
        """Keep the result, and whether it is one."""
        done, result = value
        if not done:
            self.error = self.raised
            self.reject(error_type(self.raised) if self.raised is not None else None)
        if self._gate.wanted:
            self.content.tool_result = result.get("content")


def _call_id(question: Any, asked: Any) -> str | None:
    """The id of the call in the message that asks for it; early versions hand on no id."""
    calls = list(items(question, "tool_calls"))
    same = [call for call in calls if field(call, "function") is asked]
    alike = [call for call in calls if field(call, "function") == asked]
    return text((same or alike)[0], "id") if alike else None


def _description(name: str, agent: Any, turn: Any) -> str | None:
    """What the tool was said to be good for, to the model of whoever may have asked for it.

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


def tool(telemetry: Telemetry) -> Begin:
    """``ConversableAgent.execute_function(func_call, call_id, …)`` and its asynchronous form.

    What an agent does not know, as a name that a model has made up, is not executed.
    """

    def begin(call: Call) -> Running | None:
        asked = call.argument(0, "func_call")
        if field(asked, "name") not in call.instance.function_map:
            return None
        call_id = call.argument(1, "call_id")
        known = call_id if isinstance(call_id, str) else None
        return ToolRun(telemetry, call.instance, asked, known)

    return begin


class _Function(Passing):
    """A function in the hands of the agent that executes it."""

    def __init__(self, run: ToolRun) -> None:
        super().__init__(get_current())
        self._run = run

    def failed(self, error: BaseException) -> None:
        """What is raised goes no further than to the agent."""
        self._run.raised = error


def _called(call: Call) -> Running | None:
    run = get_value(_TOOL)
    return _Function(run) if isinstance(run, ToolRun) else None


class _Wrapping(Passing):
    """The function is being wrapped, so that its result is a text."""

    def returned(self, value: Any) -> Any:
        """See what it raises when it is called in a tool's run; nothing else is seen."""
        return around(_called)(value, Switch(), False)


def wrapped(telemetry: Telemetry) -> Begin:
    """``ConversableAgent._wrap_function(func, …)``, as a tool is registered for execution."""

    def begin(call: Call) -> Running | None:
        return _Wrapping(get_current())

    return begin


class CodeRun(ExecuteTool):
    """Code that a model has written is executed."""

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, blocks: Any) -> None:
        super().__init__(telemetry, _CODE, tool_type=ToolType.EXTENSION.value)
        if telemetry.gate.wanted:
            self.content.tool_arguments = {"code_blocks": [_block(block) for block in blocks]}
        self.context = _scopes.outside(self.context)

    def respond(self, value: Any) -> None:
        """Keep the output, and whether the code came to its end."""
        pair: Any = value  # an agent without an executor says it so
        is_pair = isinstance(value, tuple)
        status = pair[0] if is_pair else getattr(value, "exit_code", None)
        if status:
            self.reject(None)
        if self._gate.wanted:
            self.content.tool_result = pair[1] if is_pair else getattr(value, "output", None)


def _block(block: Any) -> dict[str, Any]:
    language, written = (
        cast("tuple[Any, Any]", block[:2])
        if isinstance(block, (tuple, list))
        else (field(block, "language"), field(block, "code"))
    )
    return {"language": language, "code": written}


def code(telemetry: Telemetry) -> Begin:
    """``execute_code_blocks(code_blocks)`` of an executor, or of an agent that has none."""

    def begin(call: Call) -> Running | None:
        return CodeRun(telemetry, call.argument(0, "code_blocks"))

    return begin

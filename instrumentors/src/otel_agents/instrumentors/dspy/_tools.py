"""Tools, and the code that a model wrote."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

from otel_agents.instrumentors._core.calls.around import wrapped
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.operations import ExecuteCode, ExecuteTool
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._programs import AROUND

if TYPE_CHECKING:
    from ._types import Tool, ToolCall

__all__ = ["act", "avatar", "code", "executed", "explored", "tool"]

_PACKAGE: Final = "otel_agents."
_FUNCTIONS: Final = "functions"

_OWN: Final = ("dspy.predict.react", "dspy.predict.react_v2")
"""The modules of the tools by which agents finish: ``finish`` and ``submit`` do nothing."""
_FAILED: Final = "[Error]"


def tool(telemetry: Telemetry, call: Call) -> ExecuteTool | None:
    """Start at ``Tool.__call__(**arguments)`` and ``acall``."""
    called: Tool = call.instance
    if getattr(called.func, "__module__", None) in _OWN:
        return None
    return _tool(telemetry, called.name or "", call.kwargs, _unchanged)


def act(telemetry: Telemetry, call: Call) -> ExecuteTool | None:
    """Start at ``ReAct.act(output, hop)`` of before DSPy had tools: ``search[question]``."""
    output, hop = call.argument(0, "output"), call.argument(1, "hop") + 1
    name, _, value = str(output[f"Action_{hop}"]).strip().split("\n")[0].partition("[")
    if not callable(call.instance.tools.get(name)):
        return None
    arguments = {"input": value.rpartition("]")[0]}

    def observed(result: object) -> Any:
        return output.get(f"Observation_{hop}")

    return _tool(telemetry, name, arguments, observed)


def avatar(telemetry: Telemetry, call: Call) -> ExecuteTool:
    """Start at ``Avatar._call_tool(tool_name, tool_input_query)``, whose tools are others."""
    arguments = {"input": call.argument(1, "tool_input_query")}
    return _tool(telemetry, str(call.argument(0, "tool_name")), arguments, _unchanged)


def executed(telemetry: Telemetry, call: Call) -> Observation | None:
    """Record the function that ``ToolCall.execute(functions=None)`` calls, which is no tool.

    Without ``functions`` it looks into the frame of its caller, which would be a replacement's.
    """
    requested: ToolCall = call.instance
    functions = call.argument(0, _FUNCTIONS)
    if functions is None:
        found = _visible(requested.name, call.function.__module__)
    else:
        found = _named(functions, requested.name)
    if callable(found) and not isinstance(found, import_module("dspy").Tool):

        def start(telemetry: Telemetry, called: Call) -> ExecuteTool:
            return _tool(telemetry, requested.name, called.kwargs, _unchanged)

        found = wrapped(found, telemetry, start)
    elif functions is not None:
        return None
    call.args, call.kwargs = (), {_FUNCTIONS: {requested.name: found}}
    return Observation()


def _named(functions: Any, name: str) -> Any:
    if isinstance(functions, list):
        tools = cast("list[Any]", functions)
        return next((tool.func for tool in tools if getattr(tool, "name", None) == name), None)
    return cast("dict[Any, Any]", functions).get(name) if isinstance(functions, dict) else None


def _visible(name: str, replaced: str) -> Any:
    """Return what a name means where the application calls a function of the module ``replaced``.

    Its replacement has the globals of that module.
    """
    frame = inspect.currentframe()
    while frame is not None and _is_below(frame.f_globals.get("__name__"), replaced):
        frame = frame.f_back
    if frame is None:
        return None
    return frame.f_locals.get(name) or frame.f_globals.get(name)


def _is_below(module: str | None, replaced: str) -> bool:
    return module is not None and (module == replaced or module.startswith(_PACKAGE))


def _unchanged(result: Any) -> Any:
    return result


def _tool(
    telemetry: Telemetry, name: str, arguments: Any, result: Callable[[Any], Any]
) -> ExecuteTool:
    operation = ExecuteTool(telemetry, name, arguments=arguments, result=result)
    operation.context = AROUND.set(False, operation.context)
    return operation


def code(telemetry: Telemetry, call: Call) -> ExecuteCode:
    """Start at ``ProgramOfThought._execute_code(code, …)``, which returns the output or an error."""
    return ExecuteCode(telemetry, [("python", call.argument(0, "code"))], _outcome)


def explored(telemetry: Telemetry, call: Call) -> ExecuteCode:
    """Start at ``RLM._execute_code(repl, code, input_args)``."""
    return ExecuteCode(telemetry, [("python", call.argument(1, "code"))], _observed)


def _outcome(result: Any) -> tuple[int, Any]:
    *_, output, error = result
    return (1, error) if error else (0, output)


def _observed(result: Any) -> tuple[int, Any]:
    output = getattr(result, "output", result)  # of a final output
    return int(isinstance(output, str) and output.startswith(_FAILED)), output

"""Tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.operations import ExecuteTool, Operation, Step
from otel_agents.instrumentors._dialects.fields import listed
from otel_agents.semconv import values

from ._work import WAITING, Entered, Work

if TYPE_CHECKING:
    from llama_index.core.tools import ToolOutput

__all__ = ["predict_and_call", "tool"]

_PROGRAMS: Final = "llama_index.core.program."


class _Tool(ExecuteTool):
    """One call of a tool."""

    __slots__ = ()

    def respond(self, value: ToolOutput) -> None:
        """Record the result, which may report an error."""
        if getattr(value, "is_error", False) is True:
            self.mark_failed(values.MCP_TOOL_ERROR)
        super().respond(value)

    def is_failure(self, error: BaseException) -> bool:
        """Return False for a tool that waits."""
        return type(error).__name__ != WAITING


def _is_class(instance: Any) -> bool:
    """Return whether a tool is the class that a structured prediction makes: it does nothing."""
    function = getattr(instance, "_fn", None)
    return str(getattr(function, "__module__", "")).startswith(_PROGRAMS)


def tool(entered: Entered) -> Work | None:
    """Start ``BaseTool.call(…)``, ``acall`` or ``__call__``; the agent's step knows its id."""
    instance, above = entered.instance, entered.above
    if _is_class(instance):
        return None
    subject = getattr(instance, "base_tool", instance)  # an adapter calls the tool itself
    call_id = above.state if above is not None and above.kind == "step" else None

    def begin(parent: Context) -> Operation:
        return _Tool(
            entered.telemetry,
            instance.metadata.name or "",
            call_id=call_id if isinstance(call_id, str) and call_id else None,
            arguments=_arguments(entered.arguments) if entered.telemetry.gate.enabled else None,
            result=_result,
            parent=parent,
        )

    return Work(entered.span_id, "tool", subject, begin)


def _arguments(bound: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: value for name, value in bound.items() if name not in ("args", "kwargs")}
    named.update(bound.get("kwargs") or {})
    if bound.get("args"):
        named["args"] = list(bound["args"])
    return {name: one for name, one in named.items() if type(one).__name__ != "Context"}


def _result(value: ToolOutput) -> Any:
    return getattr(value, "content", value)


def predict_and_call(entered: Entered) -> Work | None:
    """Start ``LLM.predict_and_call(tools, …)``, which calls a model and calls its tools."""
    tools: Sequence[Any] = listed(entered.arguments.get("tools"))
    if entered.above is not None or any(_is_class(one) for one in tools):
        return None

    def begin(parent: Context) -> Operation:
        return Step(entered.telemetry, "predict_and_call", parent=parent)

    return Work(entered.span_id, "predict_and_call", entered.instance, begin)

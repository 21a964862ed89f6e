"""Functions of a swarm's agents, which Swarm finds by their names and calls itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from otel_agents.instrumentors._core.calls.around import wrapped
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import ExecuteTool
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["Tool", "ToolCalls"]


class _FunctionCall(ExecuteTool):
    """A call of a function, in which another run may have reported an error."""

    __slots__ = ("calls",)
    calls: ToolCalls

    def has_reported(self, error: BaseException) -> bool:
        """Return whether a run in the function has reported ``error``."""
        return error is self.calls.reported


class ToolCalls:
    """The tool calls of one response, executed in their order.

    Args:
        telemetry: What to emit with.
        requests: What the model requested.

    Attributes:
        reported: The error that a function, or a run in it, has reported.
    """

    def __init__(self, telemetry: Telemetry, requests: list[Any]) -> None:
        self.telemetry = telemetry
        self.reported: BaseException | None = None
        self._requests = list(requests)

    def start(self, telemetry: Telemetry, call: Call) -> ExecuteTool:
        """Start the call of a function. Its arguments may include the context variables."""
        name: str = getattr(call.function, "__name__", "")
        request = next((one for one in self._requests if one.function.name == name), None)
        if request is not None:
            self._requests.remove(request)
        tool = _FunctionCall(
            telemetry,
            name,
            call_id=request.id if request is not None else None,
            arguments=call.kwargs,
            result=_result,
        )
        tool.calls = self
        return tool


class Tool:
    """A function of an agent for one call of ``handle_tool_calls``, which reads its ``__code__``.

    Args:
        function: The function.
        calls: The tool calls of the response.
    """

    def __init__(self, function: Callable[..., Any], calls: ToolCalls) -> None:
        self.__name__ = function.__name__
        self.__code__ = function.__code__
        self._calls = calls
        self._call = wrapped(function, calls.telemetry, calls.start)

    def __call__(self, **arguments: Any) -> Any:
        """Execute the function."""
        try:
            return self._call(**arguments)
        except BaseException as error:
            self._calls.reported = error
            raise


def _result(value: Any) -> Any:
    """Return what a function returned; an agent, with its instructions, by its name alone."""
    handed_to = getattr(value, "agent", value)
    if hasattr(handed_to, "instructions"):
        return {"assistant": handed_to.name}
    return getattr(value, "value", value)

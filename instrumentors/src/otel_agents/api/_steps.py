"""Tools, and steps that no convention names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, final, overload

from ._blocks import Block, Function, applied, split

__all__ = [
    "StepBlock",
    "ToolBlock",
    "step",
    "tool",
]


@final
class ToolBlock(Block):
    """A tool; see `otel_agents.api.tool`."""

    __slots__ = ()
    kind = "tool"

    def arguments(self, value: Mapping[str, Any]) -> None:
        """Record the call's arguments. They are content."""
        self._record("tool_arguments", value)

    def result(self, value: Any) -> None:
        """Record the result. It is content."""
        self._record("tool_result", value)


@final
class StepBlock(Block):
    """A step; see `otel_agents.api.step`."""

    __slots__ = ()
    kind = "step"

    def outcome(self, label: str) -> None:
        """Record a label such as ``approved``: low in cardinality, and never content."""
        self._record("outcome", label)


@overload
def tool(function: Function, /) -> Function: ...
@overload
def tool(
    name: str | None = None,
    /,
    *,
    type: Literal["function", "extension", "datastore"] = "function",
    description: str | None = None,
    call_id: str | None = None,
) -> ToolBlock: ...
def tool(
    given: Any = None,
    /,
    *,
    type: str = "function",
    description: str | None = None,
    call_id: str | None = None,
) -> Any:
    """Record an execution of a tool.

    The arguments and the result of a decorated function are content. With a framework's own
    decorator around this one, a call is recorded once if both give the tool the same name.

    Example:
        >>> @tool
        ... def weather(city: str) -> str:
        ...     return f"Sunny in {city}."
        >>> weather("Bern")
        'Sunny in Bern.'

    Args:
        given: The tool's name; by default that of the decorated function.
        type: ``function`` where the application executes it.
        description: What it is for; no content.
        call_id: The id of the call in the model's response.
    """
    name, function = split(given)
    block = ToolBlock(name, type=type, description=description, call_id=call_id)
    return applied(block, function)


@overload
def step(function: Function, /) -> Function: ...
@overload
def step(
    name: str | None = None,
    /,
    *,
    type: str = "step",
    number: int | None = None,
    count: int | None = None,
) -> StepBlock: ...
def step(
    given: Any = None,
    /,
    *,
    type: str = "step",
    number: int | None = None,
    count: int | None = None,
) -> Any:
    """Record a step of the application, for which no convention has a name.

    Example:
        >>> with step("approve", type="human_input") as approval:
        ...     approval.outcome("approved")

    Args:
        given: The step's name; by default that of the decorated function.
        type: Its type, such as ``task``, ``guardrail`` or ``human_input``.
        number: Its number, from 1, where steps are numbered.
        count: The number of steps, if it is known.
    """
    name, function = split(given)
    return applied(StepBlock(name, type=type, number=number, count=count), function)

"""Workflows, agents, and what passes between them: handoffs."""

from __future__ import annotations

from typing import Any, final, overload

from ._blocks import Block, Function, applied, split

__all__ = [
    "AgentBlock",
    "HandoffBlock",
    "WorkflowBlock",
    "agent",
    "handoff",
    "workflow",
]


class _RunBlock(Block):
    """A workflow or an agent."""

    __slots__ = ()

    def input(self, value: Any) -> None:
        """Record what it was given: a text, a list of messages, or any object. It is content."""
        self._record("input_messages", value)

    def output(self, value: Any) -> None:
        """Record what it returned: a text, a list of messages, or any object. It is content."""
        self._record("output_messages", value)


@final
class WorkflowBlock(_RunBlock):
    """A workflow; see `otel_agents.api.workflow`."""

    __slots__ = ()
    kind = "workflow"


@final
class AgentBlock(_RunBlock):
    """An agent; see `otel_agents.api.agent`."""

    __slots__ = ()
    kind = "agent"


@final
class HandoffBlock(Block):
    """A handoff; see `otel_agents.api.handoff`."""

    __slots__ = ()
    kind = "handoff"


@overload
def workflow(function: Function, /) -> Function: ...
@overload
def workflow(name: str | None = None, /) -> WorkflowBlock: ...
def workflow(given: Any = None, /) -> Any:
    """Record a workflow: a process that coordinates agents.

    What a decorated function is given and returns is content.

    Example:
        >>> @workflow
        ... def plan_trip(destination: str) -> str:
        ...     return f"Go to {destination}."
        >>> plan_trip("Bern")
        'Go to Bern.'

    Args:
        given: The workflow's name; by default that of the decorated function.
    """
    name, function = split(given)
    return applied(WorkflowBlock(name), function)


@overload
def agent(function: Function, /) -> Function: ...
@overload
def agent(
    name: str | None = None, /, *, model: str | None = None, description: str | None = None
) -> AgentBlock: ...
def agent(given: Any = None, /, *, model: str | None = None, description: str | None = None) -> Any:
    """Record an invocation of an agent; its span has the tokens of the model calls in it.

    What a decorated function is given and returns is content.

    Example:
        >>> with agent("planner") as run:
        ...     run.input("A trip to Bern, please.")

    Args:
        given: The agent's name; by default that of the decorated function.
        model: Its model, if it always uses the same.
        description: What it is for; no content.
    """
    name, function = split(given)
    return applied(AgentBlock(name, model=model, description=description), function)


@overload
def handoff(function: Function, /) -> Function: ...
@overload
def handoff(target: str | None = None, /, *, origin: str | None = None) -> HandoffBlock: ...
def handoff(given: Any = None, /, *, origin: str | None = None) -> Any:
    """Record that an agent passes the conversation to another.

    Example:
        >>> with handoff("billing"):
        ...     transferred = True

    Args:
        given: The agent that takes over; by default the name of the decorated function.
        origin: The agent that hands over; by default the agent around.
    """
    name, function = split(given)
    return applied(HandoffBlock(name, origin=origin), function)

"""The agent that a context works for: its name, and the usage of the calls made under it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_agents.instrumentors._core.forking import Lock

__all__ = ["AgentScope"]

_lock: Final = Lock()


class AgentScope:
    """What an agent's invocation adds up: usage and last finish reasons of all calls under it.

    Usage counts for the agents above as well; ``inference_calls`` and ``tool_calls`` are the
    agent's own, those of its sub-agents excluded (GenAI semconv, "invoke_agent.inference_calls").
    """

    __slots__ = (
        "_above",
        "finish_reasons",
        "inference_calls",
        "input_tokens",
        "name",
        "output_tokens",
        "tool_calls",
    )

    def __init__(self, name: str | None, above: AgentScope | None = None) -> None:
        self._above = above
        self.name = name
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.finish_reasons: tuple[str, ...] = ()
        self.inference_calls = 0
        self.tool_calls = 0

    def add_inference(
        self,
        input_tokens: int | None,
        output_tokens: int | None,
        finish_reasons: tuple[str, ...],
    ) -> None:
        """Add a model call that ended under this agent; None for usage that is unknown."""
        with _lock:
            self.inference_calls += 1
            for scope in self._chain():
                scope.input_tokens = _sum(scope.input_tokens, input_tokens)
                scope.output_tokens = _sum(scope.output_tokens, output_tokens)
                scope.finish_reasons = finish_reasons or scope.finish_reasons

    def add_tool(self) -> None:
        """Add a tool call that ended under this agent."""
        with _lock:
            self.tool_calls += 1

    def _chain(self) -> Iterator[AgentScope]:
        scope: AgentScope | None = self
        while scope is not None:
            yield scope
            scope = scope._above


def _sum(total: int | None, value: int | None) -> int | None:
    return total if value is None else (total or 0) + value

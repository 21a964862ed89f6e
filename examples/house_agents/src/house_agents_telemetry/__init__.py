"""The instrumentor of house_agents: its agents and tools. Model calls are recorded below, by openai's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from otel_agents.instrumentors import (
    AgentInstrumentor,
    Call,
    ExecuteTool,
    InvokeAgent,
    Patch,
    Telemetry,
    with_conversation_id,
)

__all__ = ["HouseAgentsInstrumentor"]


class HouseAgentsInstrumentor(AgentInstrumentor):
    """Records the runs of agents and the calls of tools."""

    plain_name = "house_agents"
    requires = ("house-agents >= 1",)

    def patches(self) -> Iterable[Patch]:
        """One method for each operation."""
        yield Patch("house_agents:Agent.run", run)
        yield Patch("house_agents:Agent.call_tool", call_tool)


def run(telemetry: Telemetry, call: Call) -> InvokeAgent:
    """``Agent.run(question)``: for a conversation; the question and its answer are content."""
    agent, question = call.instance, call.argument(0, "question")
    return InvokeAgent(
        telemetry,
        agent.name,
        model=agent.model,
        input=[_message("user", question)],
        output=lambda answer: [_message("assistant", answer)],
        parent=with_conversation_id(agent.conversation) if agent.conversation else None,
    )


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def call_tool(telemetry: Telemetry, call: Call) -> ExecuteTool:
    """``Agent.call_tool(name, arguments)``: both and the result leave only when asked for."""
    return ExecuteTool(
        telemetry,
        call.argument(0, "name"),
        arguments=call.argument(1, "arguments"),
        result=str,
    )

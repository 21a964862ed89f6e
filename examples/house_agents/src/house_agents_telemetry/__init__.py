"""The instrumentor for house_agents: agents and tools. The openai instrumentor records model calls."""

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
    """Record the runs of agents and the calls of tools."""

    plain_name = "house_agents"
    requires = ("house-agents >= 1",)

    def patches(self) -> Iterable[Patch]:
        """Return one patch for each operation."""
        yield Patch("house_agents:Agent.run", run)
        yield Patch("house_agents:Agent.call_tool", call_tool)


def run(telemetry: Telemetry, call: Call) -> InvokeAgent:
    """Start at ``Agent.run(prompt)``. The prompt and the response are content."""
    agent, prompt = call.instance, call.argument(0, "prompt")
    return InvokeAgent(
        telemetry,
        agent.name,
        model=agent.model,
        input=[_message("user", prompt)],
        output=lambda response: [_message("assistant", response)],
        parent=with_conversation_id(agent.conversation) if agent.conversation else None,
    )


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def call_tool(telemetry: Telemetry, call: Call) -> ExecuteTool:
    """Start at ``Agent.call_tool(name, arguments)``. Arguments and result are content."""
    return ExecuteTool(
        telemetry,
        call.argument(0, "name"),
        arguments=call.argument(1, "arguments"),
        result=str,
    )

"""The instrumentor of house_agents: its agents and tools. Model calls are recorded below, by openai's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from otel_agents.instrumentors._core.calls.around import Call, around
from otel_agents.instrumentors._core.context.identity import with_conversation_id
from otel_agents.instrumentors._core.operations import ExecuteTool, InvokeAgent
from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from house_agents import Agent

__all__ = ["HouseAgentsInstrumentor"]


class HouseAgentsInstrumentor(AgentInstrumentor):
    """Records the runs of agents and the calls of tools."""

    plain_name = "house_agents"
    requires = ("house-agents >= 1",)

    def patches(self, telemetry: Telemetry) -> Iterable[Patch]:
        """One method for each operation."""

        def run(call: Call) -> Run:
            return Run(telemetry, call.instance, *call.args, **call.kwargs)

        def call_tool(call: Call) -> Tool:
            return Tool(telemetry, *call.args, **call.kwargs)

        yield Patch("house_agents:Agent.run", around(run))
        yield Patch("house_agents:Agent.call_tool", around(call_tool))


class Run(InvokeAgent):
    """An agent at work for a conversation; the question and its answer are content."""

    def __init__(self, telemetry: Telemetry, agent: Agent, question: str) -> None:
        conversation = agent.conversation
        parent = with_conversation_id(conversation) if conversation else None
        super().__init__(telemetry, agent.name, model=agent.model, parent=parent)
        self.content.input_messages = [_message("user", question)]

    def respond(self, value: str) -> None:
        """Gather the answer."""
        self.content.output_messages = [_message("assistant", value)]


def _message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


class Tool(ExecuteTool):
    """A tool that runs; its arguments and result are content, which leaves only when asked for."""

    def __init__(self, telemetry: Telemetry, name: str, arguments: dict[str, str]) -> None:
        super().__init__(telemetry, name)
        self.content.tool_arguments = arguments

    def respond(self, value: Any) -> None:
        """Gather the result."""
        self.content.tool_result = value

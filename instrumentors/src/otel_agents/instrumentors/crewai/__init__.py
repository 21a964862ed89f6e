"""Instrumentor for CrewAI: crews, tasks, agents, tools, flows, memory and knowledge.

CrewAIInstrumentor().instrument()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["CrewAIInstrumentor"]


class CrewAIInstrumentor(AgentInstrumentor):
    """Records the runs of ``crewai``; the model calls are those of LiteLLM and the SDKs."""

    plain_name = "crewai"
    requires = ("crewai >= 0.80, < 2",)
    conflicting = (
        "opentelemetry-instrumentation-crewai",
        "openinference-instrumentation-crewai",
        "splunk-otel-instrumentation-crewai",
    )
    covers = (
        "crews, tasks, agents, tools, planning, flows, memory, human input",
        "guardrails, reasoning, knowledge, conversations, native and MCP tools (1.x)",
        "sync, async, for each, threads, stream",
        "Anthropic, Gemini, Bedrock, Azure and model classes of the application's own",
    )

    def patches(self) -> Iterable[Patch]:
        """The methods that enclose a run, and the bus, whose events enclose a tool's call."""
        from ._tables import PATCHES

        return PATCHES

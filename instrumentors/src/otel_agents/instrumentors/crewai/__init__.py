"""Instrumentor for CrewAI: crews, tasks, agents, tools, flows, memory and knowledge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["CrewAIInstrumentor"]


class CrewAIInstrumentor(AgentInstrumentor):
    """Record the runs of ``crewai``; the instrumentors of LiteLLM and SDKs record the model calls.

    Example:
        >>> from otel_agents.instrumentors.crewai import CrewAIInstrumentor
        >>> instrumentor = CrewAIInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of crewai
        >>> # each ``crew.kickoff()`` is one trace from here on
        >>> instrumentor.uninstrument()
    """

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
        "Azure AI Inference and the application's own model classes",
    )

    def patches(self) -> Iterable[Patch]:
        """Return the methods that enclose a run, and the bus, whose events enclose a tool call."""
        from ._tables import PATCHES

        return PATCHES

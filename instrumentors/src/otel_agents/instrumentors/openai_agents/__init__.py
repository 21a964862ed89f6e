"""Instrumentor for OpenAI's Agents SDK: runs, agents, tools, handoffs, guardrails, models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["OpenAIAgentsInstrumentor"]


class OpenAIAgentsInstrumentor(AgentInstrumentor):
    """Record the runs of ``agents``; the instrumentors of the SDKs below record the model calls.

    Example:
        >>> from otel_agents.instrumentors.openai_agents import OpenAIAgentsInstrumentor
        >>> instrumentor = OpenAIAgentsInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of agents
        >>> # each ``await Runner.run(agent, input)`` is one trace from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "openai_agents"
    requires = ("openai-agents >= 0.0.9, < 1",)
    packages = ("agents",)
    conflicting = (
        "openinference-instrumentation-openai-agents",
        "opentelemetry-instrumentation-openai-agents",
        "opentelemetry-instrumentation-genai-openai-agents",
    )
    vendor_exporter = (
        "OpenAI's trace exporter sends to api.openai.com where an API key is set; "
        "OPENAI_AGENTS_DISABLE_TRACING=1 disables it, and nothing of otel-agents"
    )
    covers = (
        "run, run_sync, run_streamed, resumed runs, sessions",
        "handoffs, agents as tools, guardrails, approvals",
        "function, shell, computer and patch tools, MCP servers",
        "traces and custom spans of the application, also with OpenAI's tracing disabled",
        "the application's own models",
    )

    def patches(self) -> Iterable[Patch]:
        """Return the methods of runs, of models, and of the SDK's own traces and spans."""
        from ._tables import PATCHES

        return PATCHES

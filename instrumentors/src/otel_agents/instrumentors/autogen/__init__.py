"""Instrumentor for AutoGen: teams, agents, tools, model clients and the messages between them.

AutoGenInstrumentor().instrument()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["AutoGenInstrumentor"]


class AutoGenInstrumentor(AgentInstrumentor):
    """Records the runs of ``autogen_agentchat``; the model calls are those of the SDKs."""

    plain_name = "autogen"
    # Earlier ones want a protobuf that no OTLP exporter which speaks this API can use.
    requires = ("autogen-agentchat >= 0.4.5, < 1", "autogen-core >= 0.4.5, < 1")
    packages = ("autogen_core", "autogen_agentchat", "autogen_ext")
    conflicting = (
        "openinference-instrumentation-autogen-agentchat",
        "loongsuite-instrumentation-autogen",
    )
    covers = (
        "teams (round robin, selector, swarm, Magentic-One, graph flow), nested teams",
        "what selectors and orchestrators decide, handoffs by rule",
        "agents, agents and teams as tools, tools, handoffs, human input, memory, code execution",
        "agents of the core that an application writes, shared runtimes",
        "sync and async tools, run, run_stream, on_messages",
        "model clients of the application's own",
    )

    def patches(self) -> Iterable[Patch]:
        """The methods that enclose a run, and AutoGen's own spans, which ours replace."""
        from ._tables import PATCHES

        return PATCHES

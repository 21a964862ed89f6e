"""Instrumentor for AutoGen: teams, agents, tools, model clients and the messages between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["AutoGenInstrumentor"]


class AutoGenInstrumentor(AgentInstrumentor):
    """Record the runs of ``autogen_agentchat``; the SDKs' instrumentors record the model calls.

    Example:
        >>> from otel_agents.instrumentors.autogen import AutoGenInstrumentor
        >>> instrumentor = AutoGenInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of autogen_agentchat
        >>> # each ``await team.run(task=...)`` is one trace from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "autogen"
    # Earlier versions require a protobuf that no OTLP exporter for this OpenTelemetry API supports.
    requires = ("autogen-agentchat >= 0.4.5, < 1", "autogen-core >= 0.4.5, < 1")
    packages = ("autogen_core", "autogen_agentchat", "autogen_ext")
    conflicting = (
        "openinference-instrumentation-autogen-agentchat",
        "loongsuite-instrumentation-autogen",
    )
    covers = (
        "teams (round robin, selector, swarm, Magentic-One, graph flow), nested teams",
        "decisions of selectors and orchestrators, handoffs by rule",
        "agents, agents and teams as tools, tools, handoffs, human input, memory, code execution",
        "the application's own core agents, shared runtimes",
        "sync and async tools, run, run_stream, on_messages",
        "the application's own model clients",
    )

    def patches(self) -> Iterable[Patch]:
        """Return the methods that enclose a run, and AutoGen's own spans, which ours replace."""
        from ._tables import PATCHES

        return PATCHES

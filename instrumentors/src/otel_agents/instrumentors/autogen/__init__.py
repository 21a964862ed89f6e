"""Instrumentor for AutoGen: teams, agents, tools, model clients and the messages between them.

AutoGenInstrumentor().instrument()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.base import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching import Patch
    from otel_agents.instrumentors._core.telemetry import Telemetry

__all__ = ["AutoGenInstrumentor"]


class AutoGenInstrumentor(AgentInstrumentor):
    """Records the runs of ``autogen_agentchat``; the model calls are those of the SDKs."""

    plain_name = "autogen"
    # Earlier ones want a protobuf that no OTLP exporter which speaks this API can use.
    requires = ("autogen-agentchat >= 0.4.5, < 1", "autogen-core >= 0.4.5, < 1")
    packages = ("autogen_core", "autogen_agentchat", "autogen_ext")
    rivals = (
        "openinference-instrumentation-autogen-agentchat",
        "loongsuite-instrumentation-autogen",
    )
    covers = (
        "teams (round robin, selector, swarm, Magentic-One, graph flow), nested teams",
        "agents, agents and teams as tools, tools, handoffs, human input",
        "agents of the core that an application writes, shared runtimes",
        "sync and async tools, run, run_stream, on_messages",
        "model clients of the application's own",
    )

    def patches(self, telemetry: Telemetry) -> Iterable[Patch]:
        """The methods that enclose a run, and AutoGen's own spans, which ours replace."""
        from otel_agents.instrumentors._core.calls import around
        from otel_agents.instrumentors._core.patching import Patch

        from ._tables import ABSTRACT, OPTIONAL, OWN_SPANS, REQUIRED

        for target, begin in REQUIRED.items():
            yield Patch(target, around(begin(telemetry)))
        for target, begin in OPTIONAL.items():
            yield Patch(target, around(begin(telemetry)), optional=True)
        for target, begin in ABSTRACT.items():
            wrapping = around(begin(telemetry), overridden=True)
            yield Patch(target, wrapping, optional=True, subclasses=True)
        for target, wrapping in OWN_SPANS.items():
            yield Patch(target, wrapping, optional=True)

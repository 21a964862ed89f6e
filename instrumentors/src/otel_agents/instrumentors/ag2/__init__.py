"""Instrumentor for AG2: agents, tools, human input and networks.

AG2 1.0 and newer is ``import ag2``; before 1.0 the same agents are ``import autogen.beta``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["AG2Instrumentor"]


class AG2Instrumentor(AgentInstrumentor):
    """Record the turns of agents of ``ag2`` or ``autogen.beta``.

    A model call is recorded by the provider's SDK if that is instrumented, and here if not.

    Example:
        >>> from otel_agents.instrumentors.ag2 import AG2Instrumentor
        >>> instrumentor = AG2Instrumentor()
        >>> instrumentor.instrument()  # before or after the import of ag2
        >>> # each ``agent.ask(…)`` is one trace from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "ag2"
    requires = ("ag2 >= 0.14, < 2",)
    packages = ("ag2", "autogen.beta")
    conflicting = ("openinference-instrumentation-ag2",)
    covers = (
        "agents (ask, run, resume, reply), agents as tools, sub-tasks; `autogen.beta` before 1.0",
        "networks: channels, workflows, handoffs",
        "tools, human input, retries, structured output, streams",
        "model clients of every provider, and custom ones",
    )
    own_telemetry = "ag2.middleware.TelemetryMiddleware"

    def patches(self) -> Iterable[Patch]:
        """Return the patches for turn scopes, model clients and network deliveries."""
        from ._tables import patches

        return patches()

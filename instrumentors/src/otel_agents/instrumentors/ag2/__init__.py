"""Instrumentor for AG2 (``import ag2``, before 1 ``import autogen.beta``): agents, tools, human input, networks.

AG2Instrumentor().instrument()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["AG2Instrumentor"]


class AG2Instrumentor(AgentInstrumentor):
    """Records the turns of ``ag2`` or ``autogen.beta``; the model calls are the SDK's, or its own where none is seen."""

    plain_name = "ag2"
    requires = ("ag2 >= 0.14, < 2",)
    packages = ("ag2", "autogen.beta")
    conflicting = ("openinference-instrumentation-ag2",)
    covers = (
        "agents (ask, run, resume, reply), agents as tools, sub-tasks; `autogen.beta` before 1.0",
        "networks: channels, workflows, handoffs",
        "tools, human input, retries, structured output, streams",
        "model clients of every provider and of the application's own",
    )

    def patches(self) -> Iterable[Patch]:
        """The scope of a turn, the calls of model clients, and what networks deliver."""
        from ._tables import patches

        return patches()

"""Instrumentor for Microsoft Agent Framework, which traces itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["AgentFrameworkInstrumentor"]


class AgentFrameworkInstrumentor(AgentInstrumentor):
    """Completes the spans that the framework has of its model calls, and counts each call once.

    Example:
        >>> from otel_agents.instrumentors.agent_framework import AgentFrameworkInstrumentor
        >>> instrumentor = AgentFrameworkInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of agent_framework
        >>> # the framework's span of a model call is the only one from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "agent_framework"
    requires = ("agent-framework-core >= 1.0, < 2",)
    conflicting = ("openinference-instrumentation-agent-framework",)
    covers = (
        "native, completed by us: its spans of chats and embeddings",
        "its own agents, tools and workflows",
    )
    is_native = True

    def patches(self) -> Iterable[Patch]:
        """Return patches of the layer that records model calls, and of its streams."""
        from ._claims import rows

        return rows()

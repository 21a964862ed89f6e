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
        """Yield patches of the layer that records model calls, and of its streams."""
        from otel_agents.instrumentors._core.calls.watching import instead, replacing, within
        from otel_agents.instrumentors._core.patching.foreign import claims
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._claims import agent, chat, embedding, noticing, pull

        layers = "agent_framework.observability"
        yield Patch(f"{layers}:ChatTelemetryLayer.get_response", instead(chat))
        yield Patch(f"{layers}:EmbeddingTelemetryLayer.get_embeddings", claims(embedding))
        # Since 1.3 the spans of streams are current while an item is fetched.
        run = f"{layers}:AgentTelemetryLayer._trace_agent_invocation"
        yield Patch(run, instead(agent), until="1.3")
        yield Patch(f"{layers}:get_tracer", replacing(noticing), until="1.3")
        yield Patch("agent_framework._types:ResponseStream.__anext__", within(pull))

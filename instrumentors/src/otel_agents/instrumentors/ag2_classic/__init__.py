"""Instrumentor for classic AG2 and AutoGen 0.2 (``import autogen``): chats, turns and tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["AG2ClassicInstrumentor"]


class AG2ClassicInstrumentor(AgentInstrumentor):
    """Record the chats of ``autogen``.

    A model call is recorded by the provider's SDK if that is instrumented, and here if not.

    Example:
        >>> from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
        >>> instrumentor = AG2ClassicInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of autogen
        >>> # each ``initiate_chat(…)`` is one trace from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "ag2_classic"
    requires = (
        "ag2 >= 0.3.2, < 1",
        "autogen >= 0.3, < 1",
        "pyautogen >= 0.2.35, < 0.10",
        "autogen-agentchat >= 0.2.36, < 0.4",
    )
    packages = ("autogen",)
    conflicting = ("openinference-instrumentation-ag2", "openinference-instrumentation-autogen")
    covers = (
        "two-agent, sequential, nested and group chats; turns, tools, code, human input",
        "sync, async, run, run_iter, run_group_chat, stream",
        "selections of speakers, guardrails (ag2 0.9.4 and newer), handoffs by rule (0.10.2)",
        "model clients of Anthropic, Gemini, Bedrock and others, and custom ones",
    )
    own_telemetry = "autogen.opentelemetry"

    def patches(self) -> Iterable[Patch]:
        """Return the patches for chats, turns, tools and model calls."""
        from ._tables import patches

        return patches()

"""Instrumentor for classic AG2 and AutoGen 0.2 (``import autogen``): chats, turns and tools.

AG2ClassicInstrumentor().instrument()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["AG2ClassicInstrumentor"]


class AG2ClassicInstrumentor(AgentInstrumentor):
    """Records the chats of ``autogen``; the model calls are those of the SDKs."""

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
        "model clients of Anthropic, Gemini, Bedrock and others, and of the application's own",
    )

    def patches(self) -> Iterable[Patch]:
        """The methods that enclose a chat, a turn, a tool and a model call."""
        from ._tables import patches

        return patches()

"""Instrumentor for OpenAI's Swarm: runs, the stretches of their agents, tools and handoffs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["SwarmInstrumentor"]


class SwarmInstrumentor(AgentInstrumentor):
    """Record the runs of ``swarm``; the OpenAI SDK's instrumentor records the model calls.

    Example:
        >>> from otel_agents.instrumentors.swarm import SwarmInstrumentor
        >>> instrumentor = SwarmInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of swarm
        >>> # each ``client.run(agent, messages)`` is one trace from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "swarm"
    # OpenAI distributes it by Git alone, as "swarm"; another library of that name is older.
    requires = ("openai-swarm >= 0.1.1, < 1", "swarm >= 0.1, < 1")
    covers = ("run, run_and_stream, agents, tools, handoffs by functions that return an agent",)

    def patches(self) -> Iterable[Patch]:
        """Yield the runs, and the two methods that each turn passes."""
        from otel_agents.instrumentors._core.patching.patches import Patch

        from . import _runs

        yield Patch("swarm.core:Swarm.run", _runs.run)
        yield Patch("swarm.core:Swarm.run_and_stream", _runs.streamed_run)
        yield Patch("swarm.core:Swarm.get_chat_completion", _runs.completion)
        yield Patch("swarm.core:Swarm.handle_tool_calls", _runs.tool_calls)

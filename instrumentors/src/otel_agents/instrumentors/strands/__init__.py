"""Instrumentor for Strands Agents, which trace themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["StrandsInstrumentor"]


class StrandsInstrumentor(AgentInstrumentor):
    """Completes the spans that the framework has of its model calls, and counts each call once.

    Example:
        >>> from otel_agents.instrumentors.strands import StrandsInstrumentor
        >>> instrumentor = StrandsInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of strands
        >>> # the framework's span of a model call is the only one from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "strands"
    requires = ("strands-agents >= 1.0, < 2",)
    conflicting = ("openinference-instrumentation-strands-agents",)
    covers = (
        "native, completed by us: its spans of chats, to which tokens as metrics are added",
        "its own agents, event loops and tools",
    )
    is_native = True

    def patches(self) -> Iterable[Patch]:
        """Return patches of what starts the span of a model call, and of what makes the call."""
        from ._claims import rows

        return rows()

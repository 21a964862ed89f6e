"""Instrumentor for Pydantic AI, which traces itself where the application enables it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Row

__all__ = ["PydanticAIInstrumentor"]


class PydanticAIInstrumentor(AgentInstrumentor):
    """Completes the spans that Pydantic AI has of its model calls, and counts each call once.

    Example:
        >>> from otel_agents.instrumentors.pydantic_ai import PydanticAIInstrumentor
        >>> instrumentor = PydanticAIInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of pydantic_ai
        >>> # Pydantic AI's span of a model call is the only one from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "pydantic_ai"
    requires = ("pydantic-ai-slim >= 0.0.32, < 3",)
    conflicting = ("openinference-instrumentation-pydantic-ai",)
    covers = (
        "native, completed by us: its spans of model calls",
        "its own agents and tools",
    )

    def patches(self) -> Iterable[Row]:
        """Yield patches of what makes a model call in a span."""
        from ._claims import rows

        yield from rows()

"""Instrumentor for Pydantic AI, whose own telemetry it enables and completes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Row

__all__ = ["PydanticAIInstrumentor"]


class PydanticAIInstrumentor(AgentInstrumentor):
    """Enables and completes the spans of Pydantic AI, and counts each model call once.

    Example:
        >>> from otel_agents.instrumentors.pydantic_ai import PydanticAIInstrumentor
        >>> instrumentor = PydanticAIInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of pydantic_ai
        >>> # agents whose application does not decide otherwise record spans from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "pydantic_ai"
    requires = ("pydantic-ai-slim >= 0.0.32, < 3",)
    conflicting = ("openinference-instrumentation-pydantic-ai",)
    covers = (
        "native, completed by us: its spans of model calls and embeddings",
        "its own agents and tools, enabled without code (0.0.34)",
    )
    is_native = True

    def patches(self) -> Iterable[Row]:
        """Yield what enables its telemetry, and patches of what makes a model call in a span."""
        from . import _claims, _switch

        yield from _switch.rows()
        yield from _claims.rows()

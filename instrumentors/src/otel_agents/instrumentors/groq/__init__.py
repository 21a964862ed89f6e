"""Instrumentor for Groq's SDK."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["GroqInstrumentor"]


class GroqInstrumentor(AgentInstrumentor):
    """Records inference and embeddings of the ``groq`` package.

    Example:
        >>> from otel_agents.instrumentors.groq import GroqInstrumentor
        >>> instrumentor = GroqInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of groq
        >>> # each request that a client sends to a model is a span from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "groq"
    requires = ("groq >= 0.13, < 2",)
    conflicting = ("opentelemetry-instrumentation-groq", "openinference-instrumentation-groq")
    covers = ("chat, responses, embeddings, audio", "sync, async, stream, raw responses")

    def patches(self) -> Iterable[Patch]:
        """Yield the two methods that every request of the SDK passes through."""
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._requests import request

        yield Patch("groq._base_client:SyncAPIClient.request", request)
        yield Patch("groq._base_client:AsyncAPIClient.request", request)

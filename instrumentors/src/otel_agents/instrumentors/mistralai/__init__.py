"""Instrumentor for the Mistral SDK, its clients for Azure and Google Cloud included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Row

__all__ = ["MistralAIInstrumentor"]


class MistralAIInstrumentor(AgentInstrumentor):
    """Records inference, embeddings and runs of conversations of the ``mistralai`` package.

    Example:
        >>> from otel_agents.instrumentors.mistralai import MistralAIInstrumentor
        >>> instrumentor = MistralAIInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of mistralai
        >>> # each request that a client sends to a model is a span from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "mistralai"
    requires = ("mistralai >= 1, < 4",)
    packages = ("mistralai", "mistralai_azure", "mistralai_gcp")
    conflicting = (
        "openinference-instrumentation-mistralai",
        "opentelemetry-instrumentation-mistralai",
    )
    covers = (
        "chat, fill-in-the-middle, agents, conversations, responses",
        "embeddings, OCR, audio, verdicts",
        "sync, async, stream, parse, runs and their tools",
        "Azure and Google Cloud",
    )
    own_telemetry = "MISTRAL_SDK_TELEMETRY=global"

    def patches(self) -> Iterable[Row]:
        """Return a row for each method that calls a model, and those that every request passes."""
        from ._tables import PATCHES

        return PATCHES

"""Instrumentor for Google's GenAI SDK: the Gemini API and Vertex AI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Row

__all__ = ["GoogleGenAIInstrumentor"]


class GoogleGenAIInstrumentor(AgentInstrumentor):
    """Records the inference and embeddings of the ``google-genai`` package, and functions it calls.

    Example:
        >>> from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor
        >>> instrumentor = GoogleGenAIInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of google.genai
        >>> # each request that a client sends to a model is a span from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "google_genai"
    requires = ("google-genai >= 1.0, < 4",)
    packages = ("google.genai",)
    conflicting = (
        "openinference-instrumentation-google-genai",
        "opentelemetry-instrumentation-google-genai",
        "opentelemetry-instrumentation-google-generativeai",
    )
    covers = (
        "content, chats, embeddings, images, videos",
        "sync, async, stream, raw responses",
        "automatic function calling, continuations",
        "Gemini API and Vertex AI",
    )

    def patches(self) -> Iterable[Row]:
        """Return the methods that send one request each, and the functions that call tools."""
        from ._tables import PATCHES

        return PATCHES

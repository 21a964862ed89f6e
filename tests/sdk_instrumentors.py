"""The instrumentors of the model SDKs that frameworks send by."""

from __future__ import annotations

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
from otel_agents.instrumentors.bedrock import BedrockInstrumentor
from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor
from otel_agents.instrumentors.groq import GroqInstrumentor
from otel_agents.instrumentors.mistralai import MistralAIInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor

__all__ = ["sdk_instrumentors"]


def sdk_instrumentors() -> tuple[BaseInstrumentor, ...]:
    """Return all of them; those of SDKs that are not installed instrument nothing."""
    return (
        OpenAIInstrumentor(),
        AnthropicInstrumentor(),
        BedrockInstrumentor(),
        GoogleGenAIInstrumentor(),
        GroqInstrumentor(),
        MistralAIInstrumentor(),
    )

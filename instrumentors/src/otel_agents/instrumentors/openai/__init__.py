"""Instrumentor for the OpenAI SDK, Azure OpenAI and OpenAI-compatible hosts included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["OpenAIInstrumentor"]


class OpenAIInstrumentor(AgentInstrumentor):
    """Records inference, embeddings and fetched responses of the ``openai`` package.

    Example:
        >>> from otel_agents.instrumentors.openai import OpenAIInstrumentor
        >>> instrumentor = OpenAIInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of openai
        >>> # each request that a client sends to a model is a span from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "openai"
    requires = ("openai >= 1.17, < 4",)
    conflicting = (
        "opentelemetry-instrumentation-genai-openai",
        "opentelemetry-instrumentation-openai",
        "opentelemetry-instrumentation-openai-v2",
        "openinference-instrumentation-openai",
    )
    covers = (
        "chat, completions, responses, compactions, decisions, embeddings, images, audio",
        "sync, async, stream, raw responses",
        "Azure OpenAI and compatible hosts",
    )

    def patches(self) -> Iterable[Patch]:
        """Yield the two methods that every request of the SDK passes through."""
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._requests import request

        # Not the methods of the resources (as of openai 3.57): `with_raw_response` binds them at
        # its first use, so a client used before `instrument()` would stay unobserved, and
        # `chat.completions.parse` does not call `create`.

        yield Patch("openai._base_client:SyncAPIClient.request", request)
        yield Patch("openai._base_client:AsyncAPIClient.request", request)

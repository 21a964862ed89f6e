"""Instrumentor for the OpenAI SDK, Azure OpenAI and OpenAI-compatible hosts included.

OpenAIInstrumentor().instrument()
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["OpenAIInstrumentor"]


class OpenAIInstrumentor(AgentInstrumentor):
    """Records inference, embeddings and fetched responses of the ``openai`` package."""

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
        """The two methods that every request of the SDK passes.

        The methods of the resources do not do: `with_raw_response` keeps the ones it found at its
        first use, and ``parse`` does not call ``create``.
        """
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._requests import request

        yield Patch("openai._base_client:SyncAPIClient.request", request)
        yield Patch("openai._base_client:AsyncAPIClient.request", request)

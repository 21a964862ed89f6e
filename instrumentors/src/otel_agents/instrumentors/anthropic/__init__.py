"""Instrumentor for the Anthropic SDK, its clients for Bedrock, Vertex AI and Foundry included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["AnthropicInstrumentor"]


class AnthropicInstrumentor(AgentInstrumentor):
    """Records inference and tool runners of the ``anthropic`` package.

    Example:
        >>> from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
        >>> instrumentor = AnthropicInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of anthropic
        >>> # each request that a client sends to a model is a span from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "anthropic"
    requires = ("anthropic >= 0.30, < 3",)
    conflicting = (
        "opentelemetry-instrumentation-genai-anthropic",
        "opentelemetry-instrumentation-anthropic",
        "openinference-instrumentation-anthropic",
    )
    covers = (
        "messages, threads, tool runners and their tools, legacy completions",
        "sync, async, stream, parse, raw responses",
        "Bedrock, Vertex AI, Foundry and compatible hosts",
    )

    def patches(self) -> Iterable[Patch]:
        """Yield the methods that every request passes, and those of the tool runner."""
        from otel_agents.instrumentors._core.calls.watching import instead
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._own_spans import api_call_span
        from ._requests import request

        # Not the methods of the resources (as of anthropic 2.14): parse, the stream helpers, threads
        # and tool runners do not all call `create`, and `with_raw_response` binds it at its first use.

        yield Patch("anthropic._base_client:SyncAPIClient.request", request)
        yield Patch("anthropic._base_client:AsyncAPIClient.request", request)
        span = "anthropic._base_client:start_api_call_span"
        yield Patch(span, instead(api_call_span), since="2.11")

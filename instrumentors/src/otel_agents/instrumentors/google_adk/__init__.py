"""Instrumentor for Google's Agent Development Kit, which traces itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["GoogleADKInstrumentor"]


class GoogleADKInstrumentor(AgentInstrumentor):
    """Completes the spans that ADK has of its model calls, and counts each call once.

    Example:
        >>> from otel_agents.instrumentors.google_adk import GoogleADKInstrumentor
        >>> instrumentor = GoogleADKInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of google.adk
        >>> # the span that ADK has of a model call is the only one from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "google_adk"
    packages = ("google.adk",)
    requires = ("google-adk >= 1.24, < 3",)
    conflicting = ("openinference-instrumentation-google-adk",)
    covers = (
        "native, completed by us: its spans of model calls, with Gemini and with LiteLLM",
        "its own agents, workflows and tools",
    )
    is_native = True

    def patches(self) -> Iterable[Patch]:
        """Yield patches of what makes a model call in a span, and of what records its tokens."""
        from otel_agents.instrumentors._core.calls.watching import after, instead
        from otel_agents.instrumentors._core.patching.foreign import claims
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._claims import model_call, result_recorded, usage_recorded

        flow = "google.adk.flows.llm_flows.base_llm_flow:BaseLlmFlow"
        telemetry = "google.adk.telemetry"
        yield Patch(f"{flow}._run_and_handle_error", claims(model_call), overrides=True)
        tracing = f"{telemetry}.tracing"
        recorded = after(result_recorded)
        yield Patch(f"{tracing}:trace_generate_content_result", recorded, until="1.27")
        yield Patch(f"{tracing}:trace_inference_result", recorded, since="1.27")
        usage = f"{telemetry}._metrics:record_client_token_usage"
        yield Patch(usage, instead(usage_recorded), since="2.2")

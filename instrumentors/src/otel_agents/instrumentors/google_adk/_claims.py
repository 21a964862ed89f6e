"""The claims on ADK's own spans of model calls.

ADK leaves Gemini's calls to the official instrumentation of its SDK, if that runs. Since 2.2 it has
metrics of model calls. Up to 1.26 its output tokens are without the reasoning tokens of Gemini; since
then it adds them, although they are contained where the model is called through LiteLLM. So its
tokens are replaced by those that were billed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import after, instead
from otel_agents.instrumentors._core.context.claims import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.patching.foreign import claims
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import metrics

__all__ = ["rows"]

_METRICS: Final = "google.adk.telemetry._metrics"
_TRACING: Final = "google.adk.telemetry.tracing"
_LIBRARY: Final = ForeignLibrary(("gcp.vertex.agent",), miscounts=True)
_REPLACED: Final = "__wrapped__"
"""What OpenInference's tracer has: it yields the span around, an agent's, instead of a model call's."""
_RECORDED: Final = frozenset({metrics.GEN_AI_CLIENT_OPERATION_DURATION.name})


def rows() -> Iterable[Patch]:
    """Yield patches of what makes a model call in a span, and of what records its tokens."""
    flow = "google.adk.flows.llm_flows.base_llm_flow:BaseLlmFlow"
    yield Patch(f"{flow}._run_and_handle_error", claims(_model_call), overrides=True)
    recorded = after(_result_recorded)
    yield Patch(f"{_TRACING}:trace_generate_content_result", recorded, until="1.27")
    yield Patch(f"{_TRACING}:trace_inference_result", recorded, since="1.27")
    yield Patch(f"{_METRICS}:record_client_token_usage", instead(_usage_recorded), since="2.2")


def _model_call(telemetry: Telemetry, call: Call) -> ForeignClaim | None:
    """Claim ``_run_and_handle_error(responses, …)``."""
    tracing: Any = sys.modules.get(_TRACING)
    tracer = getattr(tracing, "tracer", None)
    has_metrics = hasattr(sys.modules.get(_METRICS), "record_client_operation_duration")
    library = _LIBRARY._replace(
        metrics=_RECORDED if has_metrics else frozenset(),
        event=_emits_event(tracing, call),
        has_span=not hasattr(tracer, _REPLACED),
    )
    return ForeignClaim(library, tracer=tracer)


def _emits_event(tracing: Any, call: Call) -> bool:
    """Return whether ADK emits the event with all details of this call."""
    config_of = getattr(tracing, "_telemetry_config_from_invocation_context", None)
    if config_of is not None:  # since 2.2 or so
        config = config_of(call.argument(1, "invocation_context"))
        return bool(getattr(config, "should_use_experimental_genai_semconv", False))
    is_experimental = getattr(tracing, "is_experimental_semconv", None)
    return is_experimental is not None and is_experimental()


def _result_recorded(telemetry: Telemetry, call: Call, _: object) -> None:
    """Correct what ``trace_inference_result(…, span, response)`` has set on the span.

    Up to 1.26 it is ``trace_generate_content_result(span, response)``.
    """
    claim = scope_of().foreign
    span: Any = call.kwargs["span"] if "span" in call.kwargs else call.args[-2]
    span = getattr(span, "span", span)  # a `GenerateContentSpan` holds it
    if claim is not None and claim.usage and span is not None:
        span.set_attributes(claim.usage)


def _usage_recorded(telemetry: Telemetry, call: Call) -> object:
    """Skip ``record_client_token_usage(…)`` of a response whose tokens we record."""
    claim = scope_of().foreign
    return None if claim is not None and claim.owns else call.proceed()

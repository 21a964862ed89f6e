"""The claims on Pydantic AI's own spans of model calls and embeddings.

Up to 1.x a model is wrapped in one that records it; since then agents do that by a capability, and
the wrapper is there for models that are called without an agent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.claims import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.patching.foreign import claims
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import metrics

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Row

__all__ = ["rows"]

_LIBRARY: Final = ForeignLibrary(("pydantic-ai",))
_RECORDED: Final = (
    (metrics.GEN_AI_CLIENT_TOKEN_USAGE.name, "tokens_histogram"),
    (metrics.GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK.name, "time_to_first_chunk_histogram"),
)
"""Metrics, and the attributes of the settings that hold their instruments."""


def rows() -> Iterable[Row]:
    """Yield patches of what makes a model call in a span."""
    wrapper = "pydantic_ai.models.instrumented:InstrumentedModel"
    yield Patch(f"{wrapper}.request", claims(_wrapped))
    yield Patch(f"{wrapper}.request_stream", claims(_wrapped), decorated="func")
    yield Patch(
        "pydantic_ai.capabilities.instrumentation:Instrumentation.wrap_model_request",
        claims(_in_agent),
        since="1.100",
    )
    embed = "pydantic_ai.embeddings.instrumented:InstrumentedEmbeddingModel.embed"
    yield Patch(embed, claims(_embedding), since="1.39")


def _wrapped(telemetry: Telemetry, call: Call) -> ForeignClaim:
    model = call.instance
    # Before 0.0.43 or so the model itself has what its settings have later.
    return _claim(
        getattr(model, "instrumentation_settings", None)
        or getattr(model, "settings", None)
        or model
    )


def _in_agent(telemetry: Telemetry, call: Call) -> ForeignClaim:
    return _claim(call.instance.settings)


def _embedding(telemetry: Telemetry, call: Call) -> ForeignClaim:
    return _claim(call.instance.instrumentation_settings)


def _claim(settings: Any) -> ForeignClaim:
    recorded = frozenset(name for name, instrument in _RECORDED if hasattr(settings, instrument))
    tracer = getattr(settings, "tracer", None)
    return ForeignClaim(_LIBRARY._replace(metrics=recorded), tracer=tracer)

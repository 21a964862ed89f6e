"""The cost of a call, as LiteLLM computes it from its price list and the application's prices."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.operations import Embeddings, ModelCall
from otel_agents.semconv import attributes as attr

if TYPE_CHECKING:
    from ._types import EmbeddingResponse, Logging, ModelResponse, Usage

__all__ = ["cost_of"]


def cost_of(logging: Logging, call: ModelCall) -> float | None:
    """Return the cost of ``call`` in US dollars; None without a price or without tokens.

    Args:
        logging: LiteLLM's ``Logging`` object, which knows the model and the prices in force.
        call: The operation, with its tokens.
    """
    # 1.53.1 has `_response_cost_calculator`, newer versions (1.108) the name without underscore.
    calculate = getattr(logging, "response_cost_calculator", None) or getattr(
        logging, "_response_cost_calculator", None
    )
    if calculate is None or call.input_tokens is None:
        return None
    cost = calculate(result=_billable_result(call, call.input_tokens))
    return float(cost) if isinstance(cost, (int, float)) and cost > 0 else None


def _billable_result(call: ModelCall, input_tokens: int) -> EmbeddingResponse | ModelResponse:
    """Return a LiteLLM result that holds only what the call is billed by."""
    litellm = sys.modules["litellm"]
    model = call.response_model or call.model
    cached = call.attributes.get(attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, 0)
    output_tokens = 0 if isinstance(call, Embeddings) else call.output_tokens or 0
    usage: Usage = litellm.Usage(
        prompt_tokens=input_tokens,
        completion_tokens=output_tokens,
        total_tokens=input_tokens + output_tokens,
        prompt_tokens_details={"cached_tokens": cached} if cached else None,
    )
    if isinstance(call, Embeddings):
        return litellm.EmbeddingResponse(model=model, usage=usage)
    return litellm.ModelResponse(model=model, usage=usage)

"""What a call has cost, as LiteLLM works it out from its price list and the application's prices."""

from __future__ import annotations

import sys
from typing import Any

from otel_agents.instrumentors._core.operations import Embeddings
from otel_agents.semconv import attributes as attr

__all__ = ["cost_of"]


def cost_of(logging: Any, call: Any) -> float | None:
    """The cost of ``call`` in US dollars; None where LiteLLM knows no price or no tokens.

    Args:
        logging: LiteLLM's record of the call, which knows the model and the prices in force.
        call: The operation, with its tokens.
    """
    calculate = getattr(logging, "response_cost_calculator", None) or getattr(
        logging, "_response_cost_calculator", None
    )
    if calculate is None or call.input_tokens is None:
        return None
    cost = calculate(result=_billed(call))
    return float(cost) if isinstance(cost, (int, float)) and cost > 0 else None


def _billed(call: Any) -> Any:
    """A result of LiteLLM's that has nothing but what the call is billed by."""
    litellm: Any = sys.modules["litellm"]
    model = call.response_model or call.model
    asked: int = call.input_tokens
    cached = call.attributes.get(attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, 0)
    output: int = 0 if isinstance(call, Embeddings) else call.output_tokens or 0
    usage = litellm.Usage(
        prompt_tokens=asked,
        completion_tokens=output,
        total_tokens=asked + output,
        prompt_tokens_details={"cached_tokens": cached} if cached else None,
    )
    if isinstance(call, Embeddings):
        return litellm.EmbeddingResponse(model=model, usage=usage)
    return litellm.ModelResponse(model=model, usage=usage)

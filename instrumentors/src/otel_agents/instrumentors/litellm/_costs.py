"""The cost of a call, as LiteLLM computes it from its price list and the application's prices."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.operations import Embeddings, ModelCall
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.semconv import attributes as attr

from . import _rates
from ._rates import Tokens

if TYPE_CHECKING:
    from ._types import EmbeddingResponse, Logging, ModelResponse, Usage

__all__ = ["cost_of"]

_PRICE_LIST: Final = "model_prices_and_context_window.json"
"""What LiteLLM's error names, if its price list does not have a model (1.53.1 to 1.110)."""
_REPORTED: Final = ("_provider_reported_cost", "additional_response_cost")
"""A cost that does not come from the price list: fields of ``Logging`` and of its details."""
_METADATA: Final = ("metadata", "litellm_metadata")
_REGION: Final = "aws_region_name"
_DEPLOYED: Final = ("base_model", "model_info")
_SECONDS: Final = 60.0

_Key = tuple[object, ...]
_unpriced: Final = Bounded[_Key, bool](256, seconds=_SECONDS)
"""Models without a price: LiteLLM takes longer to find none than to compute a cost."""


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
    key = _price_key(logging, call)
    if key is not None and key in _unpriced:
        return None
    tokens = _tokens_of(call, call.input_tokens)
    kind = _rates.kind_of_call(logging, key, tokens) if key is not None else None
    model = call.response_model or call.model or ""
    provider = field(logging.model_call_details, "custom_llm_provider")
    known = _rates.known_cost(kind, model, provider, tokens) if kind is not None else None
    if known is not None:
        return known if known > 0 else None
    cost = calculate(result=_billable_result(call, tokens))
    if cost is None and key is not None and _is_unknown(logging):
        _unpriced.put(key, True)
    if not isinstance(cost, (int, float)) or cost <= 0:
        return None
    if kind is not None:
        _rates.learn(kind, model, provider, tokens, cost)
    return float(cost)


def _tokens_of(call: ModelCall, input_tokens: int) -> Tokens:
    output_tokens = 0 if isinstance(call, Embeddings) else call.output_tokens or 0
    cached = call.attributes.get(attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, 0)
    return Tokens(input_tokens, output_tokens, cached)


def _price_key(logging: Logging, call: ModelCall) -> _Key | None:
    """Return what LiteLLM finds a price by; None if the application or the provider sets one.

    A model that the application registers makes the price list longer, so that the key changes.
    """
    details = logging.model_call_details
    parameters: dict[str, Any] = field(logging, "litellm_params") or {}
    if (
        _sets_prices(parameters)
        or field(logging, _REPORTED[0]) is not None
        or field(details, _REPORTED[1]) is not None
    ):
        return None
    return (
        len(sys.modules["litellm"].model_cost),
        logging.model,
        call.response_model or call.model,
        field(details, "custom_llm_provider"),
        field(logging, "call_type"),
        text(field(details, "optional_params"), _REGION) or text(parameters, _REGION),
    )


def _sets_prices(parameters: dict[str, Any]) -> bool:
    """Return whether the application may set prices: by a parameter or a router's deployment."""
    for name in _pricing_names(tuple(parameters)):
        if parameters.get(name) is not None:
            return True
    for name in _METADATA:
        metadata = parameters.get(name)
        if metadata and field(metadata, "model_info"):
            return True
    return False


@lru_cache(maxsize=32)
def _pricing_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parameters that set prices; LiteLLM has some 60, nearly always the same."""
    return tuple(it for it in names if "cost" in it or "pricing" in it or it in _DEPLOYED)


def _is_unknown(logging: Logging) -> bool:
    """Return whether LiteLLM computed no cost because its price list does not have the model."""
    failure = field(logging.model_call_details, "response_cost_failure_debug_information")
    return _PRICE_LIST in (text(failure, "error_str") or "")


def _billable_result(call: ModelCall, tokens: Tokens) -> EmbeddingResponse | ModelResponse:
    """Return a LiteLLM result that holds only what the call is billed by."""
    litellm = sys.modules["litellm"]
    model = call.response_model or call.model
    usage: Usage = litellm.Usage(
        prompt_tokens=tokens.input,
        completion_tokens=tokens.output,
        total_tokens=tokens.input + tokens.output,
        prompt_tokens_details={"cached_tokens": tokens.cached} if tokens.cached else None,
    )
    if isinstance(call, Embeddings):
        return litellm.EmbeddingResponse(model=model, usage=usage)
    return litellm.ModelResponse(model=model, usage=usage)

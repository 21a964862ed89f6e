"""What LiteLLM computes from a price list's entry that has a price per token and nothing more.

LiteLLM takes some 300 to 500 µs to compute a cost. Where tokens times prices are exactly what it has
computed, the next calls of the same kind need no more than that, for a minute.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._dialects.fields import as_mapping, field

if TYPE_CHECKING:
    from ._types import Logging

__all__ = ["Tokens", "kind_of_call", "known_cost", "learn"]

_MOST: Final = 32_000
"""Tokens below every threshold above which a provider has other prices."""
_SECONDS: Final = 60.0
_INPUT: Final = "input_cost_per_token"
_OUTPUT: Final = "output_cost_per_token"
_CACHED: Final = "cache_read_input_token_cost"
_UNUSED: Final = re.compile(
    r"""
    # Prices of what the result has none of: service tiers, batches, other modalities, tools.
    (?:in|out)put_cost_per_token_(?:batches|priority|flex)
    | cache_read_input_token_cost_(?:batches|priority|flex)
    | cache_creation_input_token_cost(?:_batches|_priority|_flex|_above_1hr)?
    | output_cost_per_reasoning_token | search_context_cost_per_query
    # No prices.
    | mode | litellm_provider | source | deprecation_date | metadata | comment
    | supports_\w+ | supported_\w+ | max_\w+ | tool_use_system_prompt_tokens | rpm | tpm
    """,
    re.VERBOSE,
)
"""The fields of an entry that do not matter here; with any other, LiteLLM computes each cost."""
_ADJUSTMENTS: Final = ("cost_discount_config", "cost_margin_config")
"""LiteLLM's settings that change what it computes."""

_Kind = tuple[object, ...]


class Tokens(NamedTuple):
    """What a call is billed by."""

    input: int
    output: int
    cached: int


class _Rates(NamedTuple):
    entry: dict[str, Any]
    """What the price list has of the model: a copy, since the application may change it."""
    input: float
    output: float
    cached: float

    def cost(self, tokens: Tokens) -> float:
        uncached = (tokens.input - tokens.cached) * self.input
        return uncached + tokens.cached * self.cached + tokens.output * self.output


_rates: Final = Bounded[_Kind, _Rates](256, seconds=_SECONDS)


def kind_of_call(logging: Logging, key: _Kind, tokens: Tokens) -> _Kind | None:
    """Return what calls have in common that cost the same for a token; None if that is not known.

    Args:
        logging: LiteLLM's ``Logging`` object.
        key: What LiteLLM finds the price by.
        tokens: The tokens of the call.
    """
    litellm = sys.modules["litellm"]
    details = logging.model_call_details
    tools = as_mapping(field(logging, "standard_built_in_tools_params"))
    if (
        tokens.input + tokens.output > _MOST
        or any(getattr(litellm, name, None) for name in _ADJUSTMENTS)
        or any(tools.values())
        or field(details, "cache_hit")
    ):
        return None
    options = as_mapping(field(logging, "optional_params"))
    # A service tier, or whatever a provider may have instead.
    chosen = tuple((name, it if isinstance(it, str) else None) for name, it in options.items())
    residency = field(field(logging, "litellm_params"), "data_residency")
    return (*key, chosen, residency, tokens.cached > 0, tokens.output > 0)


def known_cost(kind: _Kind, model: str, provider: object, tokens: Tokens) -> float | None:
    """Return what LiteLLM would compute; None if it has to."""
    rates = _rates.get(kind)
    if rates is None or rates.entry != _entry_of(model, provider):
        return None
    return rates.cost(tokens)


def learn(kind: _Kind, model: str, provider: object, tokens: Tokens, cost: float) -> None:
    """Remember the prices of an entry for a kind of call, if they are all that ``cost`` is."""
    entry = _entry_of(model, provider)
    rates = _rates_of(entry) if entry is not None else None
    if rates is not None and rates.cost(tokens) == cost:
        _rates.put(kind, rates)


def _entry_of(model: str, provider: object) -> dict[str, Any] | None:
    prices: dict[str, Any] = sys.modules["litellm"].model_cost
    entry = prices.get(f"{provider}/{model}")
    return prices.get(model) if entry is None else entry


def _rates_of(entry: dict[str, Any]) -> _Rates | None:
    others = entry.keys() - {_INPUT, _OUTPUT, _CACHED}
    if not all(_UNUSED.fullmatch(name) for name in others):
        return None
    known: list[Any] = [entry.get(_INPUT), entry.get(_OUTPUT), entry.get(_CACHED) or 0.0]
    if not all(isinstance(rate, (int, float)) for rate in known):
        return None
    return _Rates({**entry}, *known)

"""Prices of models, from the offline list of ``genai-prices``, without any of it on a call's thread.

Computing a cost takes that library 0.2 s for the first model and 0.1 ms from then on. So one of our
threads looks up the prices of a model once, and the cost of a call is a sum of six products. Until
the prices are there a call has no cost.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_agents.instrumentors._core.errors import call_foreign, guarded
from otel_agents.instrumentors._core.forking import Lock, renew_after_fork
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._core.threads import start_daemon
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Provider

__all__ = ["LOADING", "PRICES", "SOURCE", "UNKNOWN", "Prices", "Rates"]

SOURCE: Final = "genai-prices"
LOADING: Final = "loading"
UNKNOWN: Final = "unknown"
_SECONDS: Final = 3600.0
"""How long prices are used before they are looked up again: some depend on the time of day."""
_PROVIDERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Provider.AWS_BEDROCK.value: "aws",
        Provider.AZURE_AI_INFERENCE.value: "azure",
        Provider.AZURE_AI_OPENAI.value: "azure",
        Provider.GCP_GEMINI.value: "google",
        Provider.GCP_GEN_AI.value: "google",
        Provider.GCP_VERTEX_AI.value: "google",
        Provider.MISTRAL_AI.value: "mistral",
        Provider.MOONSHOT_AI.value: "moonshotai",
        Provider.X_AI.value: "x-ai",
    }
)
"""Providers that the library names otherwise."""
_TEXT: Final = (
    "input_mtok",
    "cache_read_mtok",
    "cache_write_mtok",
    "cache_write_1h_mtok",
    "output_mtok",
    "output_reasoning_mtok",
)
_PARTS: Final = (
    (1, 0, attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    (2, 0, attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    (3, 2, attr.OTEL_AGENTS_USAGE_CACHE_WRITE_1H_INPUT_TOKENS),
    (5, 4, attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
)
"""Tokens that have a price of their own, and those of which they are a part, by index in `_TEXT`."""
_MODAL: Final = ("audio", "image", "video")
_OTHER_TOKENS: Final = (
    attr.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    attr.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    attr.GEN_AI_USAGE_IMAGE_INPUT_TOKENS,
    attr.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,
)

_Price = tuple[tuple[int, float], ...]
"""Price of a token from a number of input tokens on, the highest number first."""


class Rates(NamedTuple):
    """The prices of one model, in US dollars a token; None where it has none of its own.

    Attributes:
        prices: Of input, of input from a cache, of input to a cache, of that to a cache for an
            hour, of output, of reasoning.
        of_request: Of a request, whatever it holds.
        modal: Whether tokens of pictures and sounds have other prices, which are not kept.
        expires: When to look them up again, by the monotonic clock.
    """

    prices: tuple[_Price | None, ...]
    of_request: float
    modal: bool
    expires: float

    def cost(
        self, input_tokens: int, output_tokens: int | None, usage: Mapping[str, Any]
    ) -> float | None:
        """Return the cost of a call; None if it is not that of text.

        Args:
            input_tokens: All of them, those from and to a cache included.
            output_tokens: All of them.
            usage: The attributes of the span.
        """
        if self.modal and any(usage.get(name) for name in _OTHER_TOKENS):
            return None
        cost = self.of_request
        counts = [input_tokens, 0, 0, 0, output_tokens or 0, 0]
        for part, whole, name in _PARTS:
            tokens = usage.get(name) if self.prices[part] is not None else None
            if tokens:
                counts[part] = tokens
                counts[whole if self.prices[whole] is not None else 0] -= tokens
        for price, tokens in zip(self.prices, counts, strict=True):
            if tokens > 0:
                cost += tokens * _at(price, input_tokens)
        return cost


def _at(price: _Price | None, input_tokens: int) -> float:
    for start, value in price or ():
        if input_tokens > start or not start:
            return value
    return 0.0


class Prices:
    """The prices of the models that were called; our thread looks them up."""

    def __init__(self) -> None:
        self._rates: Bounded[tuple[str, str], Rates | None] = Bounded(1000, inherited=True)
        self._requested: Bounded[tuple[str, str], tuple[str, str]] = Bounded(256)
        self._lock = Lock()
        self._renew()
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        self._loading = False

    def of(self, provider: str, model: str) -> Rates | str:
        """Return the prices of a model, or why there are none: `LOADING` or `UNKNOWN`."""
        key = (provider, model)
        rates = self._rates.get(key)
        if rates is None:
            if key in self._rates:
                return UNKNOWN
            self._request(key)
            return LOADING
        if time.monotonic() > rates.expires:
            self._request(key)
        return rates

    def _request(self, key: tuple[str, str]) -> None:
        self._requested.put(key, key)
        with self._lock:
            if self._loading:
                return
            self._loading = True
        if not start_daemon(self._load):
            self._loading = False

    @guarded("looking up prices", everything=True)
    def _load(self) -> None:
        try:
            while requested := self._next():
                look_up = partial(looked_up, *requested)
                # Unknown if the library fails: else each call of the model would try again.
                self._rates.put(requested, call_foreign("looking up prices", look_up, None))
        finally:
            self._loading = False

    def _next(self) -> tuple[str, str] | None:
        with self._lock:
            requested = next(iter(self._requested.values()), None)
            if requested is None:
                self._loading = False
                return None
        self._requested.pop(requested)
        return requested


def looked_up(provider: str, model: str) -> Rates | None:
    """Return the prices of a model by the library; None if it does not know it."""
    genai_prices: Any = import_module("genai_prices")  # not installed where types are checked
    try:
        found: Any = genai_prices.calc_price(
            genai_prices.Usage(), model, provider_id=_PROVIDERS.get(provider, provider)
        )
    except LookupError:
        return None
    known = _set_prices(found.model_price)
    if "input_mtok" not in known:
        return None
    modal = any(name in key for key in known for name in _MODAL)
    prices = tuple(_price(known.get(name)) for name in _TEXT)
    return Rates(prices, float(found.total_price), modal, time.monotonic() + _SECONDS)


def _set_prices(model_price: object) -> dict[str, Any]:
    return {unit: price for unit, price in vars(model_price).items() if price is not None}


def _price(value: Any) -> _Price | None:
    if value is None:
        return None
    tiers: list[Any] = getattr(value, "tiers", [])
    base: Any = getattr(value, "base", value)
    steps = [(tier.start, float(tier.price) / 1e6) for tier in reversed(tiers)]
    return (*steps, (0, float(base) / 1e6))


PRICES: Final = Prices()

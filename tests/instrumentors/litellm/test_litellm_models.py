"""The cost of models that LiteLLM's price list does not have, gets later, or has otherwise later."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from litellm_calls import MESSAGES, litellm, route

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, Usage

PRICES = {"input_cost_per_token": 0.5, "output_cost_per_token": 1.0}
NUMBERS = count()


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a model that no price list has; its prices are removed at the end."""
    monkeypatch.setattr(litellm, "model_cost", dict(litellm.model_cost))
    return f"groq/house-{next(NUMBERS)}"


@pytest.fixture
def send(
    name: str, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> Callable[..., Any]:
    """Call the model; return the cost on the span, which is LiteLLM's own."""
    instrument()

    def sending(usage: Usage = Usage(1000, 200), **more: Any) -> Any:  # noqa: B008  a value
        model.script(Response("Hi.", model=name.partition("/")[2], usage=usage))
        response = litellm.completion(messages=MESSAGES, **more, **route(name, model))
        cost = (emission.spans[-1].attributes or {}).get("otel_agents.cost")
        assert cost == (response._hidden_params.get("response_cost") or None)
        return cost

    return sending


def calculations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return LiteLLM's calculations of costs from here on."""
    found: list[Any] = []
    original = litellm.response_cost_calculator

    def calculating(**arguments: Any) -> Any:
        found.append(arguments)
        return original(**arguments)

    monkeypatch.setattr(litellm, "response_cost_calculator", calculating)
    return found


def test_a_model_without_a_price_is_looked_up_once(
    send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = calculations(monkeypatch)
    numbers: list[int] = []
    for _ in range(3):
        assert send() is None
        numbers.append(len(found))
        found.clear()
    first, *others = numbers
    assert others == [first - 1] * 2


def test_a_price_that_is_registered_later_is_used(name: str, send: Callable[..., Any]) -> None:
    assert [send(), send()] == [None, None]
    litellm.register_model({name: {**PRICES, "litellm_provider": "groq", "mode": "chat"}})
    assert send() == 700.0


def register(name: str, **prices: Any) -> None:
    """Give a model a price, or another one."""
    litellm.register_model({name: {**prices, "litellm_provider": "groq", "mode": "chat"}})


def test_the_cost_of_a_model_with_a_plain_price_is_computed_once(
    name: str, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    register(name, **PRICES)
    found = calculations(monkeypatch)
    numbers: list[int] = []
    costs: list[Any] = []
    for tokens in (1000, 1000, 10, 20_000):  # 1.53.1 adds to a price that it looks up
        costs.append(send(Usage(tokens, 200)))
        numbers.append(len(found))
        found.clear()
    assert costs == [700.0, 700.0, 205.0, 10_200.0]
    assert numbers[2:] == [numbers[0] - 1] * 2


def test_a_price_that_changes_is_used(name: str, send: Callable[..., Any]) -> None:
    register(name, **PRICES)
    assert [send(), send()] == [700.0, 700.0]
    register(name, **{**PRICES, "input_cost_per_token": 1.0})
    assert send() == 1200.0


def test_a_price_for_long_prompts_is_used(name: str, send: Callable[..., Any]) -> None:
    register(name, **PRICES, input_cost_per_token_above_200k_tokens=2.0)
    assert [send(), send()] == [700.0, 700.0]
    assert send(Usage(300_000, 200)) in (600_200.0, 150_200.0)  # 1.53.1 has no such prices


def test_a_discount_that_is_set_later_is_used(
    name: str, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not hasattr(litellm, "cost_discount_config"):
        pytest.skip("this version of LiteLLM has no discounts")
    register(name, **PRICES)
    assert [send(), send()] == [700.0, 700.0]
    monkeypatch.setattr(litellm, "cost_discount_config", {"groq": 0.5})
    assert send() == 350.0


def test_a_price_in_a_later_request_is_used(send: Callable[..., Any]) -> None:
    assert [send(), send()] == [None, None]
    assert send(**PRICES) == 700.0


def test_the_price_of_a_routers_deployment_is_used(
    name: str, model: ScriptedModel, emission: Emission, send: Callable[..., Any]
) -> None:
    assert [send(), send()] == [None, None]
    deployment = {"model_name": "house", "litellm_params": {**route(name, model), **PRICES}}
    router: Any = litellm.Router(model_list=[deployment])
    model.script(Response("Hi.", model=name.partition("/")[2], usage=Usage(1000, 200)))
    router.completion("house", MESSAGES)
    assert (emission.spans[-1].attributes or {})["otel_agents.cost"] == 700.0

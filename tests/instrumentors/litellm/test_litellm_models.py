"""The cost of models that LiteLLM's price list does not have, and that get a price later."""

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
    """Call the model; return the cost on the span."""
    instrument()

    def sending(**more: Any) -> Any:
        model.script(Response("Hi.", model=name.partition("/")[2], usage=Usage(1000, 200)))
        litellm.completion(messages=MESSAGES, **more, **route(name, model))
        return (emission.spans[-1].attributes or {}).get("otel_agents.cost")

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

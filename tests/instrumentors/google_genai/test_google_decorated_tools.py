"""A function that the SDK calls for the model, and that the application has decorated too."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from google_calls import MODEL, PROMPT

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall


@FUNCTIONS
@ORDERS
@pytest.mark.usefixtures("instrumented")
def test_it_is_recorded_once(
    order: str,
    function: Any,
    client: Any,
    run: Callable[..., Any],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    def make(function: Any) -> Any:
        return function

    def offer(decorate: Any) -> tuple[Any, Any]:
        options: Any = {"model": MODEL, "contents": PROMPT, "config": {"tools": [decorate(make)]}}
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]), Response("fine"))

        async def use(of: Any) -> None:
            await of.models.generate_content(**options)

        if inspect.iscoroutinefunction(function):
            run(use)
        else:
            client.models.generate_content(**options)
        first, second = model.ledger.entries[-2:]
        return first.body["tools"], second.body["contents"]

    check_decorated(order, function, offer, emission)

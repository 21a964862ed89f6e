"""A function that a run executes, and that the application has decorated too."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from mistral_calls import VERSION

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

if VERSION < (3, 0):
    pytest.skip("runs are tested with the newest version", allow_module_level=True)

_contexts: Any = importlib.import_module("mistralai.extra.run.context")


@FUNCTIONS
@ORDERS
@pytest.mark.usefixtures("instrumented")
def test_it_is_recorded_once(
    order: str,
    function: Any,
    client: Any,
    lasting_loop: asyncio.AbstractEventLoop,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        async def use() -> None:
            async with _contexts.RunContext(model="mistral-medium") as context:

                def make(function: Any) -> Any:
                    context.register_func(function)
                    return function

                decorate(make)
                send = client.beta.conversations.run_async
                await send(run_ctx=context, inputs="How is it?")

        called = Response(tool_calls=[ToolCall("weather", CITY)], id="conv_1")
        model.script(called, Response("fine"))
        lasting_loop.run_until_complete(use())
        first, second = model.ledger.entries[-2:]
        return first.body["tools"], second.body

    check_decorated(order, function, offer, emission)

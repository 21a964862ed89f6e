"""A tool of a runner that the application has decorated too, in both orders."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from anthropic_calls import MESSAGES, VERSION
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

if VERSION < (0, 70):
    pytest.skip("has no tool runner", allow_module_level=True)

from anthropic import beta_async_tool, beta_tool


@pytest.mark.usefixtures("instrumented")
@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(
    order: str,
    function: Any,
    client: anthropic.Anthropic,
    run: Callable[..., Any],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    later = inspect.iscoroutinefunction(function)

    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(beta_async_tool if later else beta_tool)
        tool_call = ToolCall("weather", CITY, id="toolu_1")
        model.script(Response(tool_calls=[tool_call]), Response("fine"))

        def runner(of: Any) -> Any:
            return of.beta.messages.tool_runner(
                model="m", max_tokens=9, messages=MESSAGES, tools=[made]
            )

        async def use(of: anthropic.AsyncAnthropic) -> None:
            await runner(of).until_done()

        if later:
            run(use)
        else:
            runner(client).until_done()
        return made.to_dict(), model.ledger.entries[-1].body

    check_decorated(order, function, offer, emission)

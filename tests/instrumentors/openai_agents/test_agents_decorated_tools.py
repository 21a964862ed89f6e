"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from openai_agents_runs import agents, assistant, finished

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(
    order: str, function: Any, run: Callable[..., Any], model: ScriptedModel, emission: Emission
) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(agents.function_tool)
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]), "done")
        messages = run(finished(assistant(tools=[made]))).to_input_list()
        return (made.name, made.description, made.params_json_schema), messages

    check_decorated(order, function, offer, emission)

"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from decorated_tools import CITY, ORDERS, check_decorated, weather

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

swarm: Any = import_module("swarm")


def _plain(function: Any) -> Any:
    """Make a tool, which is the function itself."""
    return function


@ORDERS
@pytest.mark.usefixtures("instrumented")
def test_it_is_recorded_once(
    order: str, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(_plain)
        model.script(Response(tool_calls=[ToolCall("weather", CITY)]), "done")
        messages = [{"role": "user", "content": "How is the weather?"}]
        response = client.run(swarm.Agent(name="guide", functions=[made]), messages)
        return model.ledger.entries[-2].body["tools"], response.messages

    check_decorated(order, weather, offer, emission)

"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

from typing import Any

import pytest
from ag2_agents import agent, calling, run, tool
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(
    order: str, function: Any, config: Any, model: ScriptedModel, emission: Emission
) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(tool)
        model.script_by(calling(ToolCall("weather", CITY)))
        run(lambda: agent("Guide", config, tools=[made]).ask("Where to?"))
        return made.schema, model.ledger.entries[-1].body["messages"]

    check_decorated(order, function, offer, emission)

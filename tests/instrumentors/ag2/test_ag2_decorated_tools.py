"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

from typing import Any

import pytest
from ag2_agents import agent, calling, run, tool
from decorated_tools import FUNCTIONS, ORDERS, check_decorated

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(
    order: str, function: Any, config: Any, model: ScriptedModel, emission: Emission
) -> None:
    def call(made: Any) -> Any:
        model.script_by(calling(ToolCall("weather", {"city": "Bern"})))
        run(lambda: agent("Guide", config, tools=[made]).ask("Where to?"))
        return model.ledger.entries[-1].body["messages"]

    def facts(made: Any) -> Any:
        return made.schema

    check_decorated(order, function, tool, call, facts, emission)

"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(order: str, function: Any, emission: Emission) -> None:
    tools: Any = import_module("autogen_core.tools")
    core: Any = import_module("autogen_core")

    def make(function: Any) -> Any:
        return tools.FunctionTool(function, description="Tell the weather.")

    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(make)
        result = asyncio.run(made.run_json(CITY, core.CancellationToken()))
        return (made.name, made.description, made.schema), result

    check_decorated(order, function, offer, emission)

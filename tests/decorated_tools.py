"""The law of a function that is decorated twice: by a framework, and by the application."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from otel_agents import api
from otel_agents.distro.starting.threads import carry_context_into_threads
from otel_agents.testing.emission import Emission

__all__ = ["FUNCTIONS", "ORDERS", "check_decorated"]


def weather(city: str, days: int = 1) -> str:
    """Tell the weather.

    Args:
        city: Where.
        days: For how long.
    """
    return f"Sunny in {city} for {days}."


async def weather_later(city: str, days: int = 1) -> str:
    """Tell the weather.

    Args:
        city: Where.
        days: For how long.
    """
    await asyncio.sleep(0)
    return weather(city, days)


weather_later.__name__ = weather_later.__qualname__ = "weather"
Make = Callable[[Any], Any]

FUNCTIONS = pytest.mark.parametrize("function", [weather, weather_later], ids=["sync", "async"])
ORDERS = pytest.mark.parametrize("order", ["ours-inside", "ours-outside"])


def check_decorated(
    order: str,
    function: Any,
    make: Make,
    call: Callable[[Any], Any],
    facts: Callable[[Any], Any],
    emission: Emission,
) -> None:
    """Check that the framework reads the same, and that a call is recorded once.

    Args:
        order: Which decorator is inside.
        function: The tool's function.
        make: The framework's decorator.
        call: Calls a tool for Bern, as an agent does; returns what the function returned.
        facts: Reads what a model is offered: name, description, schema.
        emission: Where the framework's instrumentor emits.
    """
    api.configure(**emission.providers)
    undo = carry_context_into_threads()  # as the distribution does: AutoGen uses an executor
    try:
        plain = make(function)
        inner = api.tool("weather") if inspect.iscoroutinefunction(function) else api.tool
        made = make(inner(function)) if order == "ours-inside" else plain
        decorated = made if order == "ours-inside" else api.tool(made)
        assert decorated is made
        assert type(decorated) is type(plain)
        assert facts(decorated) == facts(plain)
        assert "Sunny in Bern for 1." in str(call(decorated))
        assert emission.names.count("execute_tool weather") == 1, emission.tree()
    finally:
        undo()
        api.configure()

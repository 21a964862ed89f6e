"""The law of a tool that is decorated twice: by a framework, and by the application.

A framework's suite names its decorator, or whatever makes a tool of a function, and how an agent
calls such a tool. Everything else is here.
"""

from __future__ import annotations

import asyncio
import inspect
import types
from collections.abc import Callable
from typing import Any

import pytest

from otel_agents import api
from otel_agents.distro.starting.threads import carry_context_into_threads
from otel_agents.testing.emission import Emission

__all__ = ["CITY", "FUNCTIONS", "ORDERS", "check_decorated", "weather"]

CITY = {"city": "Bern"}
"""The arguments that the model requests."""


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
for _function in (weather, weather_later):  # Google's SDK reads annotations that are no strings
    _function.__annotations__ = {"city": str, "days": int, "return": str}
Make = Callable[[Any], Any]

FUNCTIONS = pytest.mark.parametrize("function", [weather, weather_later], ids=["sync", "async"])
ORDERS = pytest.mark.parametrize("order", ["ours-inside", "ours-outside"])


def check_decorated(
    order: str,
    function: Any,
    offer: Callable[[Callable[[Make], Any]], tuple[Any, Any]],
    emission: Emission,
    *,
    recorded: int = 1,
) -> None:
    """Check that the framework reads the same, and that a call is recorded as without ours.

    Args:
        order: Which decorator is inside.
        function: The tool's function.
        offer: Calls what it is given with the framework's decorator, which returns the tool, and
            has it called for Bern, as an agent does. It returns what a model is offered (name,
            description, schema), and what the function returned.
        emission: Where the framework's instrumentor, or the framework itself, emits.
        recorded: The number of spans of the call, which is more than one if it is sent.
    """
    api.configure(**emission.providers)
    undo = carry_context_into_threads()  # as the distribution does: AutoGen uses an executor
    inner = api.tool("weather") if inspect.iscoroutinefunction(function) else api.tool

    def plainly(make: Make) -> Any:
        return make(function)

    def twice(make: Make) -> Any:
        if order == "ours-inside":
            return make(inner(function))
        made = make(function)
        decorated = api.tool("weather")(made)
        assert type(decorated) is type(made)
        assert decorated is made or isinstance(made, types.FunctionType)
        return decorated

    try:
        plain, spans = offer(plainly), _spans(emission)
        assert "Sunny in Bern for 1." in str(plain[1])
        assert [tool for _, tool in spans].count("weather") == recorded, emission.tree()
        decorated = offer(twice)
        assert decorated[0] == plain[0]
        assert "Sunny in Bern for 1." in str(decorated[1])
        assert _spans(emission)[len(spans) :] == spans, emission.tree()
    finally:
        undo()
        api.configure()


def _spans(emission: Emission) -> list[tuple[str, object]]:
    """Return each span's name, and the tool that it names."""
    return [(span.name, (span.attributes or {}).get(_TOOL)) for span in emission.spans]


_TOOL = "gen_ai.tool.name"

"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from llama_index.core.tools import FunctionTool

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(order: str, function: Any, emission: Emission) -> None:
    later = inspect.iscoroutinefunction(function)

    def make(function: Any) -> Any:
        return FunctionTool.from_defaults(**{"async_fn" if later else "fn": function})

    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(make)
        result = asyncio.run(made.acall(**CITY)) if later else made.call(**CITY)
        known = made.metadata
        return (known.name, known.description, known.get_parameters_dict()), result

    check_decorated(order, function, offer, emission)

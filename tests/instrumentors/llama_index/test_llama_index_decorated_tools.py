"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from decorated_tools import FUNCTIONS, ORDERS, check_decorated
from llama_index.core.tools import FunctionTool

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(order: str, function: Any, emission: Emission) -> None:
    later = inspect.iscoroutinefunction(function)

    def make(function: Any) -> Any:
        return FunctionTool.from_defaults(**{"async_fn" if later else "fn": function})

    def call(made: Any) -> Any:
        if later:
            return asyncio.run(made.acall(city="Bern"))
        return made.call(city="Bern")

    def facts(made: Any) -> Any:
        metadata = made.metadata
        return metadata.name, metadata.description, metadata.get_parameters_dict()

    check_decorated(order, function, make, call, facts, emission)

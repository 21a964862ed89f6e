"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from decorated_tools import FUNCTIONS, ORDERS, check_decorated
from dspy_programs import dspy

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(order: str, function: Any, emission: Emission) -> None:
    def call(made: Any) -> Any:
        if inspect.iscoroutinefunction(function):
            return asyncio.run(made.acall(city="Bern"))
        return made(city="Bern")

    def facts(made: Any) -> Any:
        return made.name, made.desc, made.args

    check_decorated(order, function, dspy.Tool, call, facts, emission)

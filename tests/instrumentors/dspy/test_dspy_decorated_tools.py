"""A tool that the application has decorated too, in both orders."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from decorated_tools import CITY, FUNCTIONS, ORDERS, check_decorated
from dspy_programs import dspy

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")


@FUNCTIONS
@ORDERS
def test_it_is_recorded_once(order: str, function: Any, emission: Emission) -> None:
    def offer(decorate: Any) -> tuple[Any, Any]:
        made = decorate(dspy.Tool)
        later = inspect.iscoroutinefunction(function)
        result = asyncio.run(made.acall(**CITY)) if later else made(**CITY)
        return (made.name, made.desc, made.args), result

    check_decorated(order, function, offer, emission)

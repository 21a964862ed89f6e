"""A number of a request is recorded as an attribute can hold it, or not at all."""

from __future__ import annotations

import math

import pytest

from otel_agents.instrumentors._dialects.fields import number


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (1, float, 1.0),
        (0.5, float, 0.5),
        (40.0, int, 40),
        (2**63 - 1, int, 2**63 - 1),
        (-(2**63), int, -(2**63)),
    ],
)
def test_a_number_has_the_attributes_type(value: float, kind: type[float], expected: float) -> None:
    found = number(value, kind)
    assert (found, type(found)) == (expected, kind)


@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, 2**63, -(2**63) - 1, 10**400, True, "1", None, [1]],
)
def test_anything_else_is_none(value: object, kind: type[float]) -> None:
    assert number(value, kind) is None

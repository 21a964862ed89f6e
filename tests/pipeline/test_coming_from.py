"""The lines of MLflow in the page for those who come from it; the other products are not installed."""

from __future__ import annotations

import inspect
import re
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "coming_from.md"
LINES = re.findall(r"`(?:@|with )?mlflow\.([\w.]+)\((.*?)\)", PAGE.read_text("utf-8"))


@pytest.mark.parametrize(("name", "given"), LINES)
def test_mlflow_has_the_function_with_these_parameters(name: str, given: str) -> None:
    function: Any = reduce(getattr, name.split("."), import_module("mlflow"))
    parameters = inspect.signature(function).parameters
    named = re.findall(r"(\w+)=", given)
    assert set(named) <= set(parameters), (name, list(parameters))


def test_the_page_has_lines_of_mlflow() -> None:
    assert {"trace", "start_span", "log_feedback"} <= {name for name, _ in LINES}

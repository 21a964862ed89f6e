"""The examples under ``opentelemetry-instrument``: their trees are those of the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from debugging_trees import shape_now, shape_on_the_page

EXAMPLES = Path(__file__).parents[3] / "examples/documents"


@pytest.mark.parametrize("name", ["manuals", "handoff"])
def test_an_example_draws_the_tree_of_the_page(name: str) -> None:
    assert shape_now(name) == shape_on_the_page(name)


@pytest.mark.parametrize("program", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_has_not_a_line_of_opentelemetry(program: str) -> None:
    text = (EXAMPLES / program).read_text("utf-8")
    assert not re.search("otel|telemetry|trace", text, re.IGNORECASE)

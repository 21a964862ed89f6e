"""The example under ``opentelemetry-instrument``: its tree is that of the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from debugging_trees import shape_now, shape_on_the_page
from dspy_programs import VERSION
from packaging.version import Version

PROGRAM = Path(__file__).parents[3] / "examples/capital_quiz.py"


@pytest.mark.skipif(Version("3.4") > VERSION, reason="its API is newer")
def test_the_example_draws_the_tree_of_the_page() -> None:
    assert shape_now("quiz") == shape_on_the_page("quiz")


def test_the_example_has_not_a_line_of_opentelemetry() -> None:
    lines = PROGRAM.read_text("utf-8").replace("trace=None", "").lower()
    assert not re.search("otel|telemetry|trace", lines)

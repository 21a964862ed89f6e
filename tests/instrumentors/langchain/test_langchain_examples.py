"""The example graphs under ``opentelemetry-instrument``: their trees are those of the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from debugging_trees import drawn_now, shape_on_the_page, shapes_of
from example_runs import drawn_names

EXAMPLES = Path(__file__).parents[3] / "examples/graphs"
HEAD = re.compile("^.* · trace .*$", re.MULTILINE)
SUPPORT = [
    """\
invoke_agent support
   chat gpt-4o-mini
   execute_tool find_order
   chat gpt-4o-mini
""",
    """\
invoke_agent support
   execute_tool refund
   chat gpt-4o-mini
""",
]
STUDY = """\
   node study 2
      invoke_agent researcher
         chat gpt-4o-mini
         execute_tool search_library
         chat gpt-4o-mini
"""
RESEARCH = f"""\
invoke_workflow research
   node plan 1
      chat gpt-4o-mini
{STUDY * 3}\
   node collect 3
   invoke_agent editor 4
      chat gpt-4o-mini
"""
MANUAL = """\
invoke_workflow manual
   retrieval
      embeddings text-embedding-3-small
   chat gpt-4o-mini
"""


def names(trees: str) -> list[str]:
    """Return drawn trees without their heads, durations and bars."""
    return [drawn_names(tree) for tree in HEAD.split(trees)[1:]]


@pytest.mark.parametrize(
    ("name", "trees"), [("support", SUPPORT), ("research", [RESEARCH]), ("manual", [MANUAL])]
)
def test_an_example_draws_the_trees_of_the_page(name: str, trees: list[str]) -> None:
    text = drawn_now(name)
    assert names(text) == trees
    assert shapes_of(text) == shape_on_the_page(name)


@pytest.mark.parametrize("program", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_an_example_has_not_a_line_of_opentelemetry(program: str) -> None:
    text = (EXAMPLES / program).read_text("utf-8")
    assert not re.search("otel|telemetry|trace", text, re.IGNORECASE)

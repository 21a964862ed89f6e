"""The example under ``opentelemetry-instrument``: its tree is the one in the documentation."""

from __future__ import annotations

from debugging_trees import drawn_now, shape_on_the_page, shapes_of
from example_runs import drawn_names

DESK = """\
invoke_workflow Desk
   invoke_agent Desk
      guardrail about_travel → passed
         invoke_agent Checker
            chat gpt-4o-mini
      chat gpt-4o-mini
      execute_tool transfer_to_trains
   invoke_agent Trains
      chat gpt-4o-mini
      execute_tool find_trains
      chat gpt-4o-mini
      guardrail no_prices → passed
"""


def test_the_example_draws_the_tree_of_the_page() -> None:
    text = drawn_now("desk")
    head, tree = text.split(" · trace ")
    assert "4 model calls · 2 tool calls" in head
    assert drawn_names(tree) == DESK
    assert shapes_of(text) == shape_on_the_page("desk")

"""The example under ``opentelemetry-instrument``: one trace, with every turn and every call."""

from __future__ import annotations

from pathlib import Path

import pytest
from conversations import OLDEST
from debugging_trees import shape_now, shape_on_the_page
from example_runs import drawn_names, run_example

from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "examples/calculator_chat.py"
STEPS = [(232, 32, "-"), (13312, 200, "/"), (44232, 66.56, "+"), (44298.56, 5, "*")]
TURNS = """\
   invoke_agent Assistant
      chat gpt-4o-mini
   invoke_agent User
      execute_tool calculator
"""
TREE = f"""\
invoke_workflow
{TURNS * len(STEPS)}   invoke_agent Assistant
      chat gpt-4o-mini
"""


def test_a_conversation_with_a_calculator(tmp_path: Path) -> None:
    with ScriptedModel() as model:
        calls = [ToolCall("calculator", {"a": a, "b": b, "operator": o}) for a, b, o in STEPS]
        model.script(
            *(Response(tool_calls=[call]) for call in calls), Response("221492.8 TERMINATE")
        )
        output, drawn = run_example(PROGRAM, model, cwd=tmp_path)
        requests, last = model.ledger.requests, model.ledger.entries[-1].body["messages"]
    assert output.splitlines()[-1].strip() == "221492.8"
    assert last[-1]["content"] == str(44298.56 * 5)
    *_, tree = drawn.split(" · trace ")
    head = drawn[: -len(tree)].splitlines()[-1]
    assert f"{requests} model calls · {len(STEPS)} tool calls" in head
    assert drawn_names(tree) == TREE


@pytest.mark.skipif(OLDEST, reason="this version has no group patterns")
def test_the_tree_in_the_docs_is_current() -> None:
    assert shape_now("group") == shape_on_the_page("group")

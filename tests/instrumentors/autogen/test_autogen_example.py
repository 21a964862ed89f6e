"""The example team under ``opentelemetry-instrument``: one trace, with the tool and the handoff."""

from __future__ import annotations

from pathlib import Path

from example_runs import drawn_names, run_example

from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

PROGRAM = Path(__file__).parents[3] / "examples/autogen_team.py"
REPLY = "Take the 09:25 from Milano. DONE"
TREE = """\
invoke_workflow
   invoke_agent scout
      chat gpt-4o-mini
      execute_tool find_trains
   invoke_agent scout
      chat gpt-4o-mini
      execute_tool transfer_to_writer
   invoke_agent writer
      chat gpt-4o-mini
"""


def test_a_team_with_a_tool_and_a_handoff() -> None:
    trains = ToolCall("find_trains", {"origin": "Milano", "destination": "Bern"})
    with ScriptedModel() as model:
        model.script(
            Response(tool_calls=(trains,)),
            Response(tool_calls=(ToolCall("transfer_to_writer", {}),)),
            REPLY,
        )
        output, drawn = run_example(PROGRAM, model)
        assert model.ledger.requests == 3
    assert output.splitlines()[-1] == REPLY
    head, tree = drawn.split(" · trace ")
    assert "3 model calls · 2 tool calls" in head
    assert drawn_names(tree) == TREE

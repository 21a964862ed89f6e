"""The example under ``opentelemetry-instrument``: a trace for each request of one conversation."""

from __future__ import annotations

from pathlib import Path

from debugging_trees import shape_now, shape_on_the_page
from example_runs import drawn_names, run_example

from otel_agents.testing.scripted_model import (
    ModelRequest,
    Reaction,
    Response,
    ScriptedModel,
    ToolCall,
)

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "examples/ag2_planner.py"
TREES = [
    """\
invoke_agent Planner
   chat gpt-4o-mini
   execute_tool ask_scout
      invoke_agent Scout
         chat gpt-4o-mini
         execute_tool find_trains
         chat gpt-4o-mini
         execute_tool find_trains
         chat gpt-4o-mini
   chat gpt-4o-mini
""",
    """\
invoke_agent Planner
   chat gpt-4o-mini
""",
]


def react(request: ModelRequest) -> Reaction:
    """Call the scout once, which tries a wrong station first."""
    messages = request.body["messages"]
    tool_results = sum(message.get("role") == "tool" for message in messages)
    offered = {tool.name for tool in request.tools}
    if messages[-1].get("role") == "user" and messages[-1]["content"] == "What should I pack?":
        return Response("A hat.")
    if "ask_scout" in offered:
        call = ToolCall("ask_scout", {"objective": "Milan to Bern"})
        return Response("Take the 09:25.") if tool_results else Response(tool_calls=(call,))
    if tool_results == 2:
        return Response("09:25")
    origin = "Milano" if tool_results else "Milan"
    return Response(
        tool_calls=(ToolCall("find_trains", {"origin": origin, "destination": "Bern"}),)
    )


def test_an_agent_with_another_agent_as_a_tool() -> None:
    with ScriptedModel() as model:
        model.script_by(react)
        output, drawn = run_example(PROGRAM, model)
        requests = model.ledger.requests
    assert output.splitlines() == ["Take the 09:25.", "A hat."]
    assert requests == 6
    _, *trees = drawn.split(" · trace ")
    assert [drawn_names(tree) for tree in trees] == TREES
    assert "5 model calls · 3 tool calls" in drawn
    assert "1 error" in drawn


def test_the_tree_in_the_docs_is_current() -> None:
    assert shape_now("errands") == shape_on_the_page("errands")

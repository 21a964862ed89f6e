"""The example under ``opentelemetry-instrument``: its trace is the one in the documentation."""

from __future__ import annotations

import textwrap
from pathlib import Path

from example_runs import drawn_names, run_example

from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel, ToolCall

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "examples/travel_desk.py"
REPLY = "Take the 09:25 from Milano."
STATIONS = {"origin": "Milano", "destination": "Bern"}


def respond(request: ModelRequest) -> Response:
    """Respond as the agent whose instructions are in the request."""
    instructions, given = request.body["instructions"], request.body["input"]
    if instructions.startswith("Is this about travel"):
        return Response("yes")
    if instructions.startswith("Hand off"):
        return Response(tool_calls=[ToolCall("transfer_to_trains", {})], delay=0.2)
    if any(item.get("name") == "find_trains" for item in given):
        return Response(REPLY)
    return Response(tool_calls=[ToolCall("find_trains", STATIONS)])


def documented() -> str:
    text = (ROOT / "docs/openai_agents.md").read_text("utf-8")
    tree = text.partition("<!-- tree -->")[2].partition("<!-- /tree -->")[0]
    return drawn_names(textwrap.dedent(tree))


def test_the_documented_trace() -> None:
    with ScriptedModel() as model:
        model.script_by(respond)
        output, drawn = run_example(PROGRAM, model, OPENAI_AGENTS_DISABLE_TRACING="1")
        assert model.ledger.requests == 4
    assert output.splitlines()[-1] == REPLY
    head, tree = drawn.split(" · trace ")
    assert "4 model calls · 2 tool calls" in head
    assert drawn_names(tree) == documented()

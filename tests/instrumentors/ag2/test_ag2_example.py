"""The example under ``opentelemetry-instrument``: a trace for each question, all of one conversation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from debugging_trees import shape_now, shape_on_the_page
from instrumented import plain_environ

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
   chat gpt-4o-mini""",
    """\
invoke_agent Planner
   chat gpt-4o-mini""",
]


def react(request: ModelRequest) -> Reaction:
    """Ask the scout once, which tries a wrong station first."""
    said = request.body["messages"]
    answered = sum(message.get("role") == "tool" for message in said)
    offered = {tool.name for tool in request.tools}
    if said[-1].get("role") == "user" and said[-1]["content"] == "What should I pack?":
        return Response("A hat.")
    if "ask_scout" in offered:
        asking = ToolCall("ask_scout", {"objective": "Milan to Bern"})
        return Response("Take the 09:25.") if answered else Response(tool_calls=(asking,))
    if answered == 2:
        return Response("09:25")
    origin = "Milano" if answered else "Milan"
    return Response(
        tool_calls=(ToolCall("find_trains", {"origin": origin, "destination": "Bern"}),)
    )


def names(tree: str) -> str:
    """The names in a drawn tree, indented as they are drawn."""
    lines = [re.sub("[│├└─]", " ", line) for line in tree.splitlines()]
    cut = [re.split(r"  +(?=[\d.]+ m?s )", line.rstrip())[0] for line in lines]
    return "\n".join(line for line in cut if line.lstrip().startswith(("invoke", "chat", "exec")))


def test_an_agent_that_has_another_as_a_tool() -> None:
    with ScriptedModel() as model:
        model.script_by(react)
        variables = {
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
            "OTEL_TRACES_EXPORTER": "tree",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        }
        done = subprocess.run(
            [Path(sys.executable).with_name("opentelemetry-instrument"), sys.executable, PROGRAM],
            env=plain_environ(variables),
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        requests = model.ledger.requests
    assert done.stdout.splitlines() == ["Take the 09:25.", "A hat."]
    assert requests == 6
    _, *drawn = done.stderr.split(" · trace ")
    assert [names(tree) for tree in drawn] == TREES
    assert "5 model calls · 3 tool calls" in done.stderr
    assert "1 error" in done.stderr


def test_the_tree_of_the_errands_is_the_one_of_the_page() -> None:
    assert shape_now("errands") == shape_on_the_page("errands")

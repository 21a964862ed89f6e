"""The example under ``opentelemetry-instrument``: a trace for each request of one conversation."""

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


def names(tree: str) -> str:
    """Return the indented names of a drawn tree."""
    lines = [re.sub("[│├└─]", " ", line) for line in tree.splitlines()]
    shortened = [re.split(r"  +(?=[\d.]+ m?s )", line.rstrip())[0] for line in lines]
    return "\n".join(
        line for line in shortened if line.lstrip().startswith(("invoke", "chat", "exec"))
    )


def test_an_agent_with_another_agent_as_a_tool() -> None:
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
    _, *trees = done.stderr.split(" · trace ")
    assert [names(tree) for tree in trees] == TREES
    assert "5 model calls · 3 tool calls" in done.stderr
    assert "1 error" in done.stderr


def test_the_tree_in_the_docs_is_current() -> None:
    assert shape_now("errands") == shape_on_the_page("errands")

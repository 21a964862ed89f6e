"""The example crew under ``opentelemetry-instrument``: one trace, and nothing asked of the network."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from instrumented import plain_environ

from otel_agents.distro.scripted_model import (
    Answer,
    ModelRequest,
    Reaction,
    ScriptedModel,
    ToolCall,
    default_answer,
)

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "examples/trip_crew.py"
ANSWER = "Take the 09:25 from Milano: Bern is sunny."
TREE = """\
invoke_workflow trip
   task scout
      invoke_agent Scout
         search_memory
         chat gpt-4o-mini
         retrieval
         chat gpt-4o-mini
         execute_tool get_weather
         execute_tool find_trains
         chat gpt-4o-mini
         execute_tool find_trains
         chat gpt-4o-mini
         chat gpt-4o-mini
         create_memory
   task write
      invoke_agent Writer
         search_memory
         chat gpt-4o-mini
         retrieval
         chat gpt-4o-mini
         chat gpt-4o-mini
         create_memory
"""
"""Down to what the agents do."""
DEPTH = 9


def react(request: ModelRequest) -> Reaction:
    """Call the tools as a model would, and answer everything else by one sentence."""
    if request.schema is not None or "find_trains" not in {tool.name for tool in request.tools}:
        return default_answer(request) if request.schema is not None else Answer(ANSWER)
    answered = sum(message.get("role") == "tool" for message in request.body["messages"])
    if not answered:
        wrong = ToolCall("find_trains", {"origin": "Milan", "destination": "Bern"})
        return Answer(tool_calls=(ToolCall("get_weather", {"city": "Bern"}), wrong))
    right = ToolCall("find_trains", {"origin": "Milano", "destination": "Bern"})
    return Answer(tool_calls=(right,)) if answered == 2 else Answer(ANSWER)


def names(tree: str) -> list[str]:
    """The names in a drawn tree, indented as they are drawn, down to `DEPTH`."""
    lines = [re.sub("[│├└─]", " ", line) for line in tree.splitlines()]
    cut = [re.split(r"  +(?=[\d.]+ m?s )", line.rstrip())[0] for line in lines]
    depths = [(len(line) - len(line.lstrip()), line) for line in cut]
    kinds = ("invoke", "task", "chat", "execute", "retrieval", "search", "create")
    return [line for n, line in depths if n <= DEPTH and line.lstrip().startswith(kinds)]


def test_a_crew_with_tools_memory_and_knowledge() -> None:
    with ScriptedModel() as model:
        model.script_by(react)
        variables = {
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
            "OTEL_TRACES_EXPORTER": "tree",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "CREWAI_TESTING": "true",
        }
        done = subprocess.run(
            [Path(sys.executable).with_name("opentelemetry-instrument"), sys.executable, PROGRAM],
            env=plain_environ(variables),
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        requests = model.ledger.requests
    assert done.stdout.splitlines()[-1] == ANSWER
    *_, drawn = done.stderr.split(" · trace ")
    head = done.stderr[: -len(drawn)].splitlines()[-1]
    assert f"{requests - 1} model calls · 3 tool calls" in head  # one embedded the sources before
    assert "1 error" in head
    assert names(drawn) == TREE.splitlines()

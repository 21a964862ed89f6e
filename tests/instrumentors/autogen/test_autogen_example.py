"""The example team under ``opentelemetry-instrument``: one trace, with the tool and the handoff."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from instrumented import plain_environ

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


def names(tree: str) -> list[str]:
    """Return the names in a drawn tree, with their indentation."""
    lines = [re.sub("[│├└─]", " ", line) for line in tree.splitlines()]
    names = [re.split(r"  +(?=[\d.]+ m?s )", line.rstrip())[0] for line in lines]
    return [line for line in names if line.lstrip().startswith(("invoke", "chat", "execute"))]


def test_a_team_with_a_tool_and_a_handoff() -> None:
    trains = ToolCall("find_trains", {"origin": "Milano", "destination": "Bern"})
    with ScriptedModel() as model:
        model.script(
            Response(tool_calls=(trains,)),
            Response(tool_calls=(ToolCall("transfer_to_writer", {}),)),
            REPLY,
        )
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
        assert model.ledger.requests == 3
    assert done.stdout.splitlines()[-1] == REPLY
    head, drawn = done.stderr.split(" · trace ")
    assert "3 model calls · 2 tool calls" in head
    assert names(drawn) == TREE.splitlines()

"""The example under ``opentelemetry-instrument``: one trace, with every turn and every call."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conversations import OLDEST
from debugging_trees import shape_now, shape_on_the_page
from instrumented import plain_environ

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


def names(tree: str) -> list[str]:
    """Return the indented names of a drawn tree."""
    lines = [re.sub("[│├└─]", " ", line) for line in tree.splitlines()]
    shortened = [re.split(r"  +(?=[\d.]+ m?s )", line.rstrip())[0] for line in lines]
    return [line for line in shortened if line.lstrip().startswith(("invoke", "chat", "execute"))]


def test_a_conversation_with_a_calculator(tmp_path: Path) -> None:
    with ScriptedModel() as model:
        calls = [ToolCall("calculator", {"a": a, "b": b, "operator": o}) for a, b, o in STEPS]
        model.script(
            *(Response(tool_calls=[call]) for call in calls), Response("221492.8 TERMINATE")
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
            cwd=tmp_path,
            env=plain_environ(variables),
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        requests, last = model.ledger.requests, model.ledger.entries[-1].body["messages"]
    assert done.stdout.splitlines()[-1].strip() == "221492.8"
    assert last[-1]["content"] == str(44298.56 * 5)
    *_, drawn = done.stderr.split(" · trace ")
    head = done.stderr[: -len(drawn)].splitlines()[-1]
    assert f"{requests} model calls · {len(STEPS)} tool calls" in head
    assert names(drawn) == TREE.splitlines()


@pytest.mark.skipif(OLDEST, reason="this version has no group patterns")
def test_the_tree_in_the_docs_is_current() -> None:
    assert shape_now("group") == shape_on_the_page("group")

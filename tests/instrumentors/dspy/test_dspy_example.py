"""The example under ``opentelemetry-instrument``: one trace, as its page shows it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dspy_programs import VERSION, fields
from instrumented import plain_environ
from packaging.version import Version

from otel_agents.testing.scripted_model import ModelRequest, Reaction, ScriptedModel

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "examples/capital_quiz.py"
PROGRAM_TREE = """\
   invoke_workflow Quiz
      invoke_agent Capital
         chat gpt-4o-mini
         execute_tool look_up
         chat gpt-4o-mini
         chat gpt-4o-mini
      predict country, capital -> sentence
         chat gpt-4o-mini""".splitlines()
CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid"}


def react(request: ModelRequest) -> Reaction:
    """Look the country of the request up, finish, and respond."""
    content = str(request.body["messages"][-1]["content"])
    country = next(name for name in CAPITALS if name in content)
    if "## next_tool_name ##" in content:
        done = "observation_0" in content
        tool, arguments = ("finish", {}) if done else ("look_up", {"country": country})
        return fields(
            next_thought="Look.", next_tool_name=tool, next_tool_args=json.dumps(arguments)
        )
    if "## sentence ##" in content:
        return fields(sentence="It is so.")
    return fields(reasoning="Seen.", capital=CAPITALS[country])


def names(tree: str) -> list[str]:
    """Return the indented names of a drawn tree."""
    lines = (re.sub("[│├└─]", " ", line).rstrip() for line in tree.splitlines())
    shortened = [re.split(r"  +(?=[\d.]+ m?s )", line)[0] for line in lines]
    kinds = ("evaluate", "invoke", "exec", "predict", "chat")
    return [line for line in shortened if line.lstrip().startswith(kinds)]


@pytest.mark.skipif(Version("3.4") > VERSION, reason="its API is newer")
def test_an_evaluated_agent_is_one_trace(tmp_path: Path) -> None:
    with ScriptedModel() as model:
        model.script_by(react)
        variables = {
            "DSPY_CACHEDIR": str(tmp_path),
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "OPENAI_API_KEY": "none",
            "OPENAI_BASE_URL": model.openai_url,
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
    assert "100.0 % are correct." in done.stdout.splitlines()
    assert requests == 12
    _, tree = done.stderr.split(" · trace ")
    top, *programs = names(tree)
    assert top.strip() == "evaluate Quiz"
    assert programs == PROGRAM_TREE * 3
    assert "(3 runs)" in tree

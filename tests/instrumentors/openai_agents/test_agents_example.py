"""The example under ``opentelemetry-instrument``: its trace is the one in the documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from instrumented import plain_environ

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


def names(drawn: str) -> list[str]:
    """Return the names in a drawn tree, with their indentation."""
    lines = [re.sub("[│├└─]", " ", line) for line in drawn.splitlines()]
    found = [re.split(r"  +(?=[\d.]+ m?s )", line.rstrip())[0] for line in lines]
    starts = ("invoke", "chat", "execute", "guardrail")
    return [line for line in found if line.lstrip().startswith(starts)]


def documented() -> list[str]:
    text = (ROOT / "docs/openai_agents.md").read_text("utf-8")
    return names(text.partition("<!-- tree -->")[2].partition("<!-- /tree -->")[0])


def test_the_documented_trace() -> None:
    with ScriptedModel() as model:
        model.script_by(respond)
        variables = {
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
            "OPENAI_AGENTS_DISABLE_TRACING": "1",
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
        assert model.ledger.requests == 4
    assert done.stdout.splitlines()[-1] == REPLY
    head, drawn = done.stderr.split(" · trace ")
    assert "4 model calls · 2 tool calls" in head
    assert names(drawn) == [line.removeprefix("    ") for line in documented()]

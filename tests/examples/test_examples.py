"""The output of `make demo` and of the example application."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from crew_trace import BEFORE, CHAT, CREW, RESULT, drawn
from instrumented import instrumented, plain_environ
from otlp_receiver import Receiver, free_port

from otel_agents.distro.demo import programs
from otel_agents.distro.demo.scripts import TRIP
from otel_agents.testing.scripted_model import ScriptedModel

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
AGENT = [
    "invoke_agent travel-planner 1560 133",
    "  chat gpt-4o-mini 412 58",
    "  execute_tool get_weather",
    "  execute_tool find_trains ✗",
    "  chat gpt-4o-mini 530 31",
    "  execute_tool find_trains",
    "  chat gpt-4o-mini 618 44",
]


def run_demo(endpoint: str, *arguments: str, name: str = "") -> subprocess.CompletedProcess[str]:
    """Run the demo; ``name`` is the model's that its program is called with."""
    done = subprocess.run(
        [sys.executable, "-m", "otel_agents.distro.demo", *arguments],
        env=plain_environ({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[:2]) == (
        0,
        [f"$ opentelemetry-instrument python trip_crew.py {name}".rstrip(), RESULT],
    )
    return done


def test_the_demo_draws_the_crews_trace_where_nobody_listens() -> None:
    done = run_demo(f"http://127.0.0.1:{free_port()}")
    assert drawn(done.stderr) == [[BEFORE], CREW]
    assert "could not deliver" not in done.stderr


def test_the_demo_sends_the_same_trace_where_somebody_listens() -> None:
    with Receiver() as receiver:
        done = run_demo(receiver.endpoint)
    assert drawn(done.stderr) == [[BEFORE], CREW]
    names = [re.sub(r"( \d+ \d+)?( ✗)?$", "", line).strip() for line in (BEFORE, *CREW)]
    assert sorted(receiver.span_names) == sorted(names)


@pytest.mark.parametrize(
    ("argument", "name", "span"),
    [
        ("claude", "anthropic/claude-sonnet-4-5", "chat claude-sonnet-4-5"),
        ("gemini", "gemini/gemini-2.5-flash", "generate_content gemini-2.5-flash"),
    ],
)
def test_another_model_draws_the_same_trace(argument: str, name: str, span: str) -> None:
    done = run_demo(f"http://127.0.0.1:{free_port()}", argument, name=name)
    assert drawn(done.stderr) == [[BEFORE], [line.replace(CHAT, span) for line in CREW]]


def test_the_picture_of_the_readme_is_this_trace() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    picture = text.partition("<!-- tree -->")[2].partition("<!-- /tree -->")[0]
    assert drawn(re.sub("(?m)^    ", "", picture)) == [CREW]


def test_an_application_with_a_framework_of_its_own() -> None:
    with ScriptedModel() as model:
        model.script(*TRIP)
        variables = {
            **programs.client(model),
            "OTEL_TRACES_EXPORTER": "tree",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        }
        done = instrumented(EXAMPLES / "travel_planner.py", variables, installed=True)
    assert (done.status, done.out) == (0, RESULT + "\n")
    assert drawn(done.err) == [AGENT]


@pytest.mark.parametrize("part", ["travel_planner.py", "house_agents/src/house_agents"])
def test_the_application_has_not_a_line_of_opentelemetry(part: str) -> None:
    path = EXAMPLES / part
    for file in [path] if path.is_file() else path.rglob("*.py"):
        assert not re.search("otel|telemetry|trace", file.read_text("utf-8"), re.IGNORECASE), file

"""The demo works with its extra, and does not change this process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from instrumented import plain_environ
from otlp_receiver import Receiver, free_port

from otel_agents.distro.command import main

TREE = [
    ("invoke_agent travel-planner", "1,560 → 133"),
    ("├─ chat gpt-4o-mini", "412 → 58"),
    ("├─ execute_tool get_weather", ""),
    ("├─ execute_tool find_trains", "✗ LookupError"),
    ("├─ chat gpt-4o-mini", "530 → 31 (384 cached)"),
    ("├─ execute_tool find_trains", ""),
    ("└─ chat gpt-4o-mini", "618 → 44 (512 cached, 24 reasoning)"),
]


def run_demo(endpoint: str) -> subprocess.CompletedProcess[str]:
    given = plain_environ({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    command = [sys.executable, "-m", "otel_agents.distro", "demo"]
    return subprocess.run(
        command, check=False, env=given, capture_output=True, text=True, encoding="utf-8"
    )


def drawn(text: str) -> list[tuple[str, str]]:
    """Return name and remarks of each line of the tree, without times."""
    lines = [line for line in text.splitlines() if "━" in line]
    return [(line[:29].strip(), line.rpartition("━")[2].strip()) for line in lines]


def test_the_tree_of_an_agent_with_tools_is_drawn_without_a_collector() -> None:
    done = run_demo(f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 0, done.stderr
    assert drawn(done.stderr) == TREE
    assert "could not deliver" not in done.stderr
    command, response, *_ = done.stdout.splitlines()
    assert command == "$ opentelemetry-instrument python travel_planner.py"
    assert response == "Take the 09:25 from Milano: Bern is sunny on Friday, 21 degrees."


def test_it_is_sent_where_somebody_listens() -> None:
    with Receiver() as receiver:
        done = run_demo(receiver.endpoint)
    assert done.returncode == 0, done.stderr
    assert drawn(done.stderr) == TREE
    assert len(receiver.spans) == len(TREE)
    assert {span.trace_id for span in receiver.spans} == {receiver.spans[0].trace_id}
    assert "/v1/metrics" in receiver.paths


@pytest.mark.parametrize(
    ("arguments", "absent", "needed"),
    [
        ([], ["otel_agents.testing"], "a local scripted model"),
        ([], ["crewai", "openai"], "crewai or openai"),
        (
            [],
            ["otel_agents.testing", "crewai", "openai"],
            "a local scripted model, and crewai or openai",
        ),
        (["claude"], ["crewai", "anthropic"], "crewai, and anthropic"),
        (["gemini"], ["crewai", "google.genai"], "crewai, and google-genai"),
    ],
)
def test_a_missing_package_is_reported_in_one_line(
    arguments: list[str],
    absent: list[str],
    needed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in absent:
        monkeypatch.setitem(sys.modules, name, None)
    before = dict(os.environ)
    assert main(["demo", *arguments]) == 1
    more = ' "crewai[anthropic,google-genai]"' if arguments else ""
    line = f'The demo needs {needed}. Run: pip install "otel-agents[demo]"{more}\n'
    assert capsys.readouterr() == ("", line)
    assert dict(os.environ) == before

"""The example runs as `make demo` runs it, and its trace goes where it should."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from instrumented import environ
from otlp_receiver import Receiver, free_port

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
OUT = """\
$ opentelemetry-instrument python examples/travel_planner.py
Take the 09:25 from Milano: Bern is sunny on Friday, 21 degrees.
"""
TREE = """\
travel_planner · 3 model calls · 3 tool calls · 1,560 → 133 tokens · 1 error · trace ID
invoke_agent travel-planner 1,560 → 133
├─ chat gpt-4o-mini 412 → 58
├─ execute_tool get_weather
├─ execute_tool find_trains ✗ LookupError
├─ chat gpt-4o-mini 530 → 31 (384 cached)
├─ execute_tool find_trains
└─ chat gpt-4o-mini 618 → 44 (512 cached, 24 reasoning)
"""


def demo(**variables: str) -> subprocess.CompletedProcess[str]:
    """Run the example; durations, bars and ids are left out of the tree."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / "run.py"],
        env=environ({"PYTHONIOENCODING": "utf-8", **variables}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    tree = re.sub(r"trace [0-9a-f]{32}", "trace ID", done.stderr)
    tree = re.sub(r" +[0-9.,]+ m?s +━+", " ", tree)
    done.stderr = "\n".join(re.sub(r"(?<=\S)  +", " ", line).rstrip() for line in tree.splitlines())
    return done


def test_the_demo_draws_the_trace_and_is_silent_where_nobody_listens() -> None:
    done = demo(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    assert (done.returncode, done.stdout) == (0, OUT)
    assert done.stderr.rstrip() == TREE.rstrip()


def test_the_demo_sends_the_same_trace_where_somebody_listens() -> None:
    with Receiver() as receiver:
        done = demo(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert (done.returncode, done.stdout) == (0, OUT)
    assert done.stderr.rstrip() == TREE.rstrip()
    assert receiver.span_names == [
        *["chat gpt-4o-mini"] * 3,
        *["execute_tool find_trains"] * 2,
        "execute_tool get_weather",
        "invoke_agent travel-planner",
    ]


@pytest.mark.parametrize("part", ["travel_planner.py", "house_agents/src/house_agents"])
def test_the_application_has_not_a_line_of_opentelemetry(part: str) -> None:
    path = EXAMPLES / part
    for file in [path] if path.is_file() else path.rglob("*.py"):
        assert not re.search("otel|telemetry|trace", file.read_text("utf-8"), re.IGNORECASE), file

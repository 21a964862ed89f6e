"""The example runs as `make demo` runs it, and its trace goes where it should."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from instrumented import plain_environ
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


def bare(tree: str) -> str:
    """A tree without durations, bars, ids and indentation."""
    tree = re.sub(r"trace [0-9a-f]{32}", "trace ID", textwrap.dedent(tree).strip())
    tree = re.sub(r" +[0-9.,]+ m?s +━+", " ", tree)
    return "".join(re.sub(r"(?<=\S)  +", " ", line).rstrip() + "\n" for line in tree.splitlines())


def demo(**variables: str) -> subprocess.CompletedProcess[str]:
    """Run the example."""
    return subprocess.run(
        [sys.executable, EXAMPLES / "run.py"],
        env=plain_environ(variables),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_the_demo_draws_the_trace_and_is_silent_where_nobody_listens() -> None:
    done = demo(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    assert (done.returncode, done.stdout) == (0, OUT)
    assert bare(done.stderr) == TREE


def test_the_demo_sends_the_same_trace_where_somebody_listens() -> None:
    with Receiver() as receiver:
        done = demo(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    assert (done.returncode, done.stdout) == (0, OUT)
    assert bare(done.stderr) == TREE
    assert receiver.span_names == [
        *["chat gpt-4o-mini"] * 3,
        *["execute_tool find_trains"] * 2,
        "execute_tool get_weather",
        "invoke_agent travel-planner",
    ]


def test_the_picture_of_the_readme_is_this_trace() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert bare(text.partition("<!-- tree -->")[2].partition("<!-- /tree -->")[0]) == TREE


@pytest.mark.parametrize("part", ["travel_planner.py", "house_agents/src/house_agents"])
def test_the_application_has_not_a_line_of_opentelemetry(part: str) -> None:
    path = EXAMPLES / part
    for file in [path] if path.is_file() else path.rglob("*.py"):
        assert not re.search("otel|telemetry|trace", file.read_text("utf-8"), re.IGNORECASE), file

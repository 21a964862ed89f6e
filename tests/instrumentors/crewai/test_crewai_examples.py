"""An example for each feature of CrewAI, with its trace."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from crews import CHAT, run_of
from debugging_trees import shape_now, shape_on_the_page

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

FOLDER = Path(__file__).parents[3] / "examples/crews"
BOOK = "book"
"""An example whose tree is in the docs."""
DELEGATION = "delegate_work_to_coworker"
WORK = {"task": "t", "context": "c", "coworker": "Scout"}
LONG = "Bees dance to tell one another where the flowers are today."

TREES = {
    "flow": [
        "invoke_workflow Report",
        "  method find_out",
        "    invoke_workflow facts",
        *run_of("Scout", depth=3),
        "  method summarize",
        "    invoke_agent Writer",
        f"      {CHAT}",
    ],
    "hierarchical": [
        "invoke_workflow managed",
        *run_of(
            "Crew Manager",
            CHAT,
            f"execute_tool {DELEGATION}",
            "  invoke_agent Scout",
            f"    {CHAT}",
            CHAT,
            name="bees",
        ),
    ],
    "async_tasks": [
        "invoke_workflow comparison",
        *run_of("Scout", name="bees"),
        *run_of("Scout", name="wasps"),
        *run_of("Writer", name="compare"),
    ],
    "streaming": ["invoke_workflow ticker", *run_of("Writer")],
    "memory": [
        "invoke_workflow archive",
        *run_of(
            "Writer",
            "search_memory",
            CHAT,
            "retrieval",
            CHAT,
            "execute_tool search_memory",
            CHAT,
            CHAT,
            "create_memory",
        ),
    ],
    "mcp_tool": ["invoke_workflow weather", *run_of("Scout", CHAT, "execute_tool TOOL", CHAT)],
    "review": [
        "invoke_workflow review",
        *run_of("Writer", CHAT, "human_input"),
        "    guardrail brief",
        *run_of("Writer", CHAT, "human_input")[1:],
        "    guardrail brief",
    ],
}
SCRIPTS = {
    "hierarchical": [Response(tool_calls=[ToolCall(DELEGATION, WORK)])],
    "review": [Response(LONG)],
}


def test_every_example_has_its_tree() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {*TREES, BOOK, "weather_server"}


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("name", TREES)
def test_an_example(
    name: str, model: ScriptedModel, emission: Emission, typed: Callable[[str], None]
) -> None:
    typed("\n\n")
    model.script(*SCRIPTS.get(name, []))
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    calls = [call for entry in model.ledger.entries for call in entry.body.get("tools", ())]
    offered = calls[0]["function"]["name"] if calls else ""  # CrewAI derives it from the command
    tree = [line.replace("TOOL", offered) for line in TREES[name]]
    lines = emission.tree()
    if name == "memory":  # the embeddings below the agent are left out
        lines = [line for line in lines if re.match(r" {0,6}(?!embeddings)\w", line)]
    assert lines == tree
    assert sum(line.startswith("invoke") for line in lines) == 1


def test_the_tree_of_the_book_is_the_one_of_the_page() -> None:
    assert shape_now(BOOK) == shape_on_the_page(BOOK)


@pytest.mark.parametrize("name", [*TREES, BOOK])
def test_an_example_has_not_a_line_of_opentelemetry(name: str) -> None:
    text = (FOLDER / f"{name}.py").read_text("utf-8")
    assert not re.search("otel|telemetry|trace", text, re.IGNORECASE)

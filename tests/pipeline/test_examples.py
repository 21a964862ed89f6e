"""A framework's example is one trace in Jaeger and MLflow, with each token counted once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from backends import otlp_json
from backends.everywhere import Everywhere
from backends.golden import Found
from backends.program import wait_for


def outline(spans: Iterable[Found]) -> list[str]:
    """Return the paths of the spans' names, those of parallel spans in any order."""
    found = list(spans)
    names = {span.id: span.node.name for span in found}
    parents = {span.id: span.parent_id for span in found}

    def path(span: str | None) -> str:
        return "" if span is None else f"{path(parents[span])}/{names[span]}"

    return sorted(path(span.id) for span in found)


def paths(tree: str) -> list[str]:
    """Return the paths of an indented tree's names."""
    above: list[str] = []
    found: list[str] = []
    for line in tree.splitlines():
        name = line.strip()
        above[(len(line) - len(name)) // 2 :] = [name]
        found.append("".join(f"/{one}" for one in above))
    return sorted(found)


STUDY = """\
  node study
    invoke_agent researcher
      chat gpt-4o-mini
      execute_tool search_library
      chat gpt-4o-mini
"""
RESEARCH = f"""\
invoke_workflow research
  node plan
    chat gpt-4o-mini
{STUDY * 3}\
  node collect
  invoke_agent editor
    chat gpt-4o-mini
"""
DESK = """\
invoke_workflow Desk
  invoke_agent Desk
    guardrail about_travel
      invoke_agent Checker
        chat gpt-4o-mini
    chat gpt-4o-mini
    execute_tool transfer_to_trains
  invoke_agent Trains
    chat gpt-4o-mini
    execute_tool find_trains
    chat gpt-4o-mini
    guardrail no_prices
"""
TYPES = {
    "invoke_workflow": "WORKFLOW",
    "node": "TASK",
    "guardrail": "GUARDRAIL",
    "invoke_agent": "AGENT",
    "chat": "CHAT_MODEL",
    "execute_tool": "TOOL",
}
"""MLflow's type of a span, by the first word of the span's name."""

pytestmark = pytest.mark.parametrize(
    ("example", "tree"),
    [("research", RESEARCH), ("desk", DESK)],
    indirect=["example"],
    ids=["LangGraph", "OpenAI-Agents-SDK"],
    scope="module",
)


def test_jaeger_has_the_example(example: Everywhere, tree: str) -> None:
    expected = paths(tree)

    def whole() -> list[Found] | None:
        spans = [*map(otlp_json.found, example.jaeger.spans(example.run.trace_id))]
        return spans if len(spans) == len(expected) else None

    assert outline(wait_for(whole, "the example in Jaeger")) == expected


def test_mlflow_has_the_example_and_counts_a_token_once(example: Everywhere, tree: str) -> None:
    expected = paths(tree)

    def trace() -> dict[str, Any]:
        return example.mlflow.trace(example.run.trace_id)

    wait_for(lambda: len(trace()["spans"]) == len(expected), "the example in MLflow")
    spans = [otlp_json.found(span, "") for span in trace()["spans"]]
    assert outline(spans) == expected
    usage = json.loads(trace()["trace_info"]["trace_metadata"]["mlflow.trace.tokenUsage"])
    ledger = (example.run.input_tokens, example.run.output_tokens)
    assert (usage["input_tokens"], usage["output_tokens"]) == ledger
    types = [(span.node.name.split()[0], span.node.attributes["mlflow.spanType"]) for span in spans]
    assert types == [(word, TYPES[word]) for word, _ in types]

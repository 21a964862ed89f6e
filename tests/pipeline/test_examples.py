"""A framework's example is one trace in Jaeger and MLflow, with each token counted once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from backends import otlp_json
from backends.everywhere import Everywhere
from backends.golden import Found
from backends.program import wait_for

ROOT = Path(__file__).parents[2]


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


def drawn(page: str) -> str:
    """Return the names of the first tree that a page of ``docs`` draws, indented; without remarks."""
    _, _, text = (ROOT / "docs" / page).read_text(encoding="utf-8").partition("\n\n    ")
    block = text.partition("\n\n")[0].replace("\n    ", "\n")
    lines = (re.split(r"  +(?=[^ ├└│])", line)[0].rstrip() for line in block.splitlines())
    return "\n".join(re.sub("├─ |└─ |│  ", "  ", line) for line in lines)


def scores(spans: Iterable[Found]) -> list[dict[str, Any]]:
    """Return what evaluations left on spans, without the rest of the spans."""
    attributes = (span.node.attributes for span in spans)
    found = ({name: one[name] for name in SCORE if name in one} for one in attributes)
    return [score for score in found if score]


def usage(trace: dict[str, Any]) -> tuple[int, int]:
    """Return MLflow's total of a trace: input and output tokens; 0 where no model was called."""
    metadata = trace["trace_info"].get("trace_metadata", {})
    found = json.loads(metadata.get("mlflow.trace.tokenUsage", "{}"))
    return found.get("input_tokens", 0), found.get("output_tokens", 0)


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
GUIDE = drawn("mcp.md")
MANUAL = """\
  query {}
    retrieval
      embeddings text-embedding-3-small
    chat gpt-4o-mini
"""
MANUALS = f"""\
invoke_workflow
  chat gpt-4o-mini
{MANUAL.format("kettle")}\
{MANUAL.format("toaster")}\
  chat gpt-4o-mini
"""
HANDOFF = """\
invoke_workflow shop
  invoke_agent clerk
    chat gpt-4o-mini
    execute_tool find_order
    chat gpt-4o-mini
    execute_tool handoff
  invoke_agent packer
    chat gpt-4o-mini
    execute_tool pack
    chat gpt-4o-mini
"""
QUIZ_OF_ONE = """\
  invoke_workflow Quiz
    invoke_agent Capital
      chat gpt-4o-mini
      execute_tool look_up
      chat gpt-4o-mini
      chat gpt-4o-mini
    predict country, capital -> sentence
      chat gpt-4o-mini
    score correct
"""
QUIZ = f"""\
evaluate Quiz
{QUIZ_OF_ONE * 3}"""
SCORE = {"gen_ai.evaluation.name": "correct", "gen_ai.evaluation.score.value": 1.0}
TYPES = {
    "invoke_workflow": "WORKFLOW",
    "node": "TASK",
    "guardrail": "GUARDRAIL",
    "invoke_agent": "AGENT",
    "chat": "CHAT_MODEL",
    "execute_tool": "TOOL",
    "tools/call": "TOOL",
    "tools/list": "TASK",
    "query": "CHAIN",
    "retrieval": "RETRIEVER",
    "embeddings": "EMBEDDING",
    "predict": "TASK",
    "evaluate": "EVALUATOR",
    "score": "EVALUATOR",
}
"""MLflow's type of a span, by the first word of the span's name."""

pytestmark = pytest.mark.parametrize(
    ("example", "tree"),
    [
        ("research", RESEARCH),
        ("desk", DESK),
        ("guide", GUIDE),
        ("manuals", MANUALS),
        ("handoff", HANDOFF),
        ("quiz", QUIZ),
    ],
    indirect=["example"],
    ids=["LangGraph", "OpenAI-Agents-SDK", "MCP", "LlamaIndex-query", "LlamaIndex-agents", "DSPy"],
    scope="module",
)


def test_jaeger_has_the_example(example: Everywhere, tree: str) -> None:
    expected = paths(tree)

    def whole() -> list[Found] | None:
        spans = [*map(otlp_json.found, example.jaeger.spans(example.run.trace_id))]
        return spans if len(spans) == len(expected) else None

    spans = wait_for(whole, "the example in Jaeger")
    assert outline(spans) == expected
    assert scores(spans) == [SCORE] * tree.count("score ")


def test_mlflow_has_the_example_and_counts_a_token_once(example: Everywhere, tree: str) -> None:
    expected = paths(tree)
    run = example.run

    def tokens() -> list[int]:
        usages = [usage(example.mlflow.trace(trace_id)) for trace_id in run.trace_ids]
        return [sum(one) for one in zip(*usages, strict=True)]

    def whole() -> list[Found] | None:
        spans = [otlp_json.found(span, "") for span in example.mlflow.spans(run.trace_id)]
        return spans if len(spans) == len(expected) else None

    spans = wait_for(whole, "the example in MLflow")
    assert outline(spans) == expected
    assert scores(spans) == [SCORE] * tree.count("score ")
    assert tokens() == [run.input_tokens, run.output_tokens]
    types = [(span.node.name.split()[0], span.node.attributes["mlflow.spanType"]) for span in spans]
    assert types == [(word, TYPES[word]) for word, _ in types]

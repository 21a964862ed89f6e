"""A graph of LangGraph is one trace in Jaeger and MLflow, with each token counted once."""

from __future__ import annotations

import json
from typing import Any

from backends import otlp_json
from backends.everywhere import Everywhere
from backends.golden import Found
from backends.program import wait_for


def outline(spans: list[Found]) -> list[str]:
    """Return the names of the spans, indented, those of parallel nodes in any order."""
    names = {span.id: span.node.name for span in spans}
    parents = {span.id: span.parent_id for span in spans}

    def path(span: str | None) -> str:
        return "" if span is None else f"{path(parents[span])}/{names[span]}"

    return sorted(path(span.id) for span in spans)


def test_jaeger_has_the_graph(graph: Everywhere) -> None:
    def whole() -> list[Found] | None:
        spans = [*map(otlp_json.found, graph.jaeger.spans(graph.run.trace_id))]
        return spans if len(spans) == len(RESEARCH) else None

    spans = wait_for(whole, "the graph in Jaeger")
    assert outline(spans) == RESEARCH


def test_mlflow_has_the_graph_and_counts_a_token_once(graph: Everywhere) -> None:
    def trace() -> dict[str, Any]:
        return graph.mlflow.trace(graph.run.trace_id)

    wait_for(lambda: len(trace()["spans"]) == len(RESEARCH), "the graph in MLflow")
    spans = [otlp_json.found(span, "") for span in trace()["spans"]]
    assert outline(spans) == RESEARCH
    usage = json.loads(trace()["trace_info"]["trace_metadata"]["mlflow.trace.tokenUsage"])
    ledger = (graph.run.input_tokens, graph.run.output_tokens)
    assert (usage["input_tokens"], usage["output_tokens"]) == ledger
    types = {span.node.name.split()[0]: span.node.attributes["mlflow.spanType"] for span in spans}
    assert types == TYPES


STUDY = "/invoke_workflow research/node study"
RESEARCH = sorted(
    [
        "/invoke_workflow research",
        "/invoke_workflow research/node plan",
        "/invoke_workflow research/node plan/chat gpt-4o-mini",
        *(
            3
            * [
                STUDY,
                f"{STUDY}/invoke_agent researcher",
                f"{STUDY}/invoke_agent researcher/chat gpt-4o-mini",
                f"{STUDY}/invoke_agent researcher/execute_tool search_library",
                f"{STUDY}/invoke_agent researcher/chat gpt-4o-mini",
            ]
        ),
        "/invoke_workflow research/node collect",
        "/invoke_workflow research/invoke_agent editor",
        "/invoke_workflow research/invoke_agent editor/chat gpt-4o-mini",
    ]
)
TYPES = {
    "invoke_workflow": "WORKFLOW",
    "node": "TASK",
    "invoke_agent": "AGENT",
    "chat": "CHAT_MODEL",
    "execute_tool": "TOOL",
}

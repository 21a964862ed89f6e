"""The demo's crew is one trace in every backend with a user interface."""

from __future__ import annotations

import itertools
import json
from typing import Any

from backends import otlp_json, zipkin
from backends.everywhere import Everywhere
from backends.golden import lines
from backends.program import wait_for
from crew_trace import BEFORE, CREW, RESULT

from otel_agents.semconv.attributes import GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS as CACHED

CHATS = [line.split()[-2:] for line in CREW if line.split()[0] == "chat"]
BILLED = [line.split()[-2:] for line in CREW if line.split()[0] in ("chat", "embeddings")]
INPUT, OUTPUT = (sum(int(tokens[kind]) for tokens in BILLED) for kind in (0, 1))


def test_the_ledger_is_the_sum_of_the_calls(crew: Everywhere) -> None:
    run = crew.run
    before = int(BEFORE.split()[-2])
    assert run.output == RESULT
    assert (run.input_tokens, run.output_tokens) == (INPUT + before, OUTPUT)


def test_jaeger_has_the_crew(crew: Everywhere) -> None:
    def drawn() -> list[str]:
        return lines(map(otlp_json.found, crew.jaeger.spans(crew.run.trace_id)))

    assert wait_for(lambda: len(drawn()) == len(CREW) and drawn(), "the crew in Jaeger") == CREW


def test_zipkin_has_the_crew(crew: Everywhere) -> None:
    def drawn() -> list[str]:
        return lines(map(zipkin.found, crew.zipkin.spans(crew.run.trace_id)))

    there = wait_for(lambda: len(drawn()) == len(CREW) and drawn(), "the crew in Zipkin")
    assert there == [line.lower() for line in CREW]


def test_xray_takes_every_segment_of_the_crew(crew: Everywhere) -> None:
    crew.xray.wait_for(len(CREW) + 1)
    assert crew.xray.refused == []


def test_mlflow_has_the_crew_and_counts_a_token_once(crew: Everywhere) -> None:
    def trace() -> dict[str, Any]:
        return crew.mlflow.trace(crew.run.trace_id)

    wait_for(lambda: len(trace()["spans"]) == len(CREW), "the crew in MLflow")
    found = [otlp_json.found(span, "") for span in trace()["spans"]]
    assert lines(found) == [
        line.rsplit(maxsplit=2)[0] if line.strip().startswith("invoke_agent") else line
        for line in CREW
    ]
    facts = trace()["trace_info"]["trace_metadata"]
    assert json.loads(facts["mlflow.trace.tokenUsage"]) == {
        "input_tokens": INPUT,
        "output_tokens": OUTPUT,
        "cache_read_input_tokens": sum(span.node.attributes.get(CACHED, 0) for span in found),
        "total_tokens": sum(map(int, itertools.chain(*CHATS))),  # of spans with both
    }
    types = {span.node.name.split()[0]: span.node.attributes["mlflow.spanType"] for span in found}
    assert types == TYPES


TYPES = {
    "invoke_workflow": "WORKFLOW",
    "task": "TASK",
    "invoke_agent": "AGENT",
    "chat": "CHAT_MODEL",
    "embeddings": "EMBEDDING",
    "execute_tool": "TOOL",
    "retrieval": "RETRIEVER",
    "search_memory": "MEMORY",
    "create_memory": "MEMORY",
}

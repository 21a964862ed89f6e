"""Every backend returns the run of the example, as far as it can store it."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from backends import otlp_json
from backends.collector import Collector, samples
from backends.everywhere import CONTENT, Everywhere
from backends.golden import (
    CONVERSATION,
    FINAL_TEXT,
    GOLDEN,
    PROGRAM,
    PROMPT,
    Found,
    Node,
    run,
    tree,
)
from backends.moto import Moto
from backends.program import wait_for
from backends.zipkin import found as zipkin_found
from instrumented import plain_environ

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.registry import CONTENT as CONTENT_NAMES

ERROR_TEXT = "no station Milan"
"""The text of the tool's exception."""
CACHED = sum(node.attributes.get(attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, 0) for node in GOLDEN)
"""Cached input tokens."""
Spans = TypeVar("Spans", bound="list[Any]")


def whole(read: Callable[[], Spans]) -> Spans:
    """Wait for all spans of the run, and return them."""

    def all_there() -> Spans | None:
        spans = read()
        return spans if len(spans) == len(GOLDEN) else None

    return wait_for(all_there, "the golden run's spans")


def without_content(node: Node) -> dict[str, Any]:
    """Return the attributes of a node after removal of content, with the mark."""
    dropped = [name for name in CONTENT_NAMES if name in node.attributes]
    kept = {name: value for name, value in node.attributes.items() if name not in dropped}
    if node.error:  # the exception's text was the status description
        dropped.append(attr.EXCEPTION_MESSAGE)
    return {**kept, attr.OTEL_AGENTS_CONTENT_DROPPED: dropped}


def test_the_application_ran_as_it_does_alone(everywhere: Everywhere) -> None:
    assert everywhere.run.output == FINAL_TEXT


def test_every_statement_of_the_files_could_be_executed(everywhere: Everywhere) -> None:
    log = everywhere.collector.log.splitlines()
    assert [line for line in log if "failed to execute statement" in line] == []


def test_jaeger_has_the_whole_trace_content_included(everywhere: Everywhere) -> None:
    spans = whole(lambda: everywhere.jaeger.spans(everywhere.run.trace_id))
    assert tree(map(otlp_json.found, spans)) == GOLDEN
    assert "travel_planner" in everywhere.jaeger.services()


def as_in_zipkin(node: Node) -> Node:
    """Return a node with names in lower case, values as text, and no content."""
    attributes = {name: _tag(value) for name, value in without_content(node).items()}
    if attr.SERVER_PORT in attributes:
        attributes[attr.SERVER_PORT] = ""
    parent = node.parent.lower() if node.parent else None
    return replace(node, name=node.name.lower(), parent=parent, attributes=attributes)


def _tag(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def test_zipkin_has_the_tree_and_no_content(everywhere: Everywhere) -> None:
    spans = whole(lambda: everywhere.zipkin.spans(everywhere.run.trace_id))
    assert tree(map(zipkin_found, spans)) == tuple(map(as_in_zipkin, GOLDEN))
    assert ERROR_TEXT not in json.dumps(spans)


def as_in_xray(node: Node) -> Node:
    """Return a node as a segment: named for the service map, without peer addresses."""
    attributes = without_content(node)
    for name in (attr.SERVER_ADDRESS, attr.SERVER_PORT):
        attributes.pop(name, None)
    names = {GOLDEN[0].name: "travel_planner"}
    name = attributes.get(attr.GEN_AI_PROVIDER_NAME) or names.get(node.name, node.name)
    parent = names.get(node.parent, node.parent) if node.parent else None
    return replace(node, name=name, parent=parent, attributes=attributes)


def xray_segment(segment: Mapping[str, Any]) -> Found:
    metadata = segment["metadata"]["default"]
    foreign = ("otel.resource.", "aws.")
    kept = {name: value for name, value in metadata.items() if not name.startswith(foreign)}
    kind = "CLIENT" if segment.get("namespace") == "remote" else "INTERNAL"
    node = Node(segment["name"], kind, None, {**kept, **segment["annotations"]}, segment["fault"])
    return Found(segment["id"], segment.get("parent_id"), segment["start_time"], node)


def test_xray_takes_every_segment_without_content(everywhere: Everywhere) -> None:
    everywhere.xray.wait_for(len(GOLDEN))
    assert everywhere.xray.refused == []
    found = tree(map(xray_segment, everywhere.xray.segments.values()))
    assert found == tuple(map(as_in_xray, GOLDEN))
    assert ERROR_TEXT not in json.dumps(everywhere.xray.segments)


def test_the_segments_are_read_back_from_another_stand_in(moto: Moto) -> None:
    with Collector("xray", environ=moto.environ) as collector:
        trace_id = run(collector.endpoint, PROGRAM, **CONTENT).trace_id
        documents = whole(lambda: moto.documents(trace_id))
        assert tree(map(xray_segment, documents)) == tuple(map(as_in_xray, GOLDEN))


def test_metrics_at_the_prometheus_end_equal_the_bill(everywhere: Everywhere) -> None:
    billed = {"input": everywhere.run.input_tokens, "output": everywhere.run.output_tokens}
    found = samples(everywhere.collector.metrics())

    def total(name: str, **labels: str) -> float:
        selected = labels.items()
        return sum(
            n for (it, has), n in found.items() if it == name and selected <= dict(has).items()
        )

    assert billed == {
        kind: total("gen_ai_client_token_usage_sum", gen_ai_token_type=kind) for kind in billed
    }
    assert billed == {
        kind: total(f"gen_ai_client_inference_usage_{kind}_tokens_total") for kind in billed
    }
    tools = {"get_weather": 1, "find_trains": 2}
    assert tools == {
        name: total("gen_ai_execute_tool_duration_seconds_count", gen_ai_tool_name=name)
        for name in tools
    }
    assert total("gen_ai_execute_tool_duration_seconds_count", error_type="LookupError") == 1


@pytest.fixture(scope="module")
def in_mlflow(everywhere: Everywhere) -> dict[str, Any]:
    """Return the trace from MLflow."""

    def read() -> dict[str, Any] | None:
        trace = everywhere.mlflow.trace(everywhere.run.trace_id)
        return trace if len(trace["spans"]) == len(GOLDEN) else None

    return wait_for(read, "the golden run in MLflow")


TYPES = {"invoke_agent": "AGENT", "chat": "CHAT_MODEL", "execute_tool": "TOOL"}


def as_in_mlflow(node: Node) -> Node:
    """Return a node without kind, and without an agent's token sums."""
    sums = (attr.GEN_AI_USAGE_INPUT_TOKENS, attr.GEN_AI_USAGE_OUTPUT_TOKENS)
    left_out = sums if node.attributes[attr.GEN_AI_OPERATION_NAME] == "invoke_agent" else ()
    kept = {name: value for name, value in node.attributes.items() if name not in left_out}
    return replace(node, kind="", attributes=kept)


def test_mlflow_has_the_whole_trace_and_knows_its_types(in_mlflow: dict[str, Any]) -> None:
    spans = tree(otlp_json.found(span, "") for span in in_mlflow["spans"])
    own = [
        {name: value for name, value in node.attributes.items() if name.startswith("mlflow.")}
        for node in spans
    ]
    given = tuple(
        replace(node, attributes={k: v for k, v in node.attributes.items() if k not in mine})
        for node, mine in zip(spans, own, strict=True)
    )
    assert given == tuple(map(as_in_mlflow, GOLDEN))
    assert [mine["mlflow.spanType"] for mine in own] == [
        TYPES[node.attributes[attr.GEN_AI_OPERATION_NAME]] for node in GOLDEN
    ]
    assert ["mlflow.spanInputs" in mine for mine in own] == [True] * len(GOLDEN)


def test_mlflow_has_tokens_cost_session_request_and_response(
    in_mlflow: dict[str, Any], everywhere: Everywhere
) -> None:
    info, run = in_mlflow["trace_info"], everywhere.run
    facts = info["trace_metadata"]
    tokens = json.loads(facts["mlflow.trace.tokenUsage"])
    cost = json.loads(facts["mlflow.trace.cost"])
    assert tokens == {
        "input_tokens": run.input_tokens,
        "output_tokens": run.output_tokens,
        "cache_read_input_tokens": CACHED,
        "total_tokens": run.input_tokens + run.output_tokens,
    }
    assert cost["total_cost"] == pytest.approx(cost["input_cost"] + cost["output_cost"])  # pyright: ignore[reportUnknownMemberType]  pytest's own
    assert cost["total_cost"] > 0
    assert facts["mlflow.trace.session"] == CONVERSATION
    assert PROMPT in info["request_preview"]
    assert FINAL_TEXT in info["response_preview"]


EVALUATION = """
    import sys
    import mlflow
    from mlflow.genai import evaluate, scorer

    mlflow.set_experiment(experiment_id="0")
    mlflow.log_feedback(trace_id=sys.argv[1], name="helpful", value=True)

    @scorer
    def names_a_train(outputs):
        return "09:25" in str(outputs)

    traces = mlflow.search_traces(locations=["0"], filter_string="trace.status = 'OK'")
    evaluate(data=traces, scorers=[names_a_train])
"""


@pytest.mark.usefixtures("in_mlflow")
def test_mlflow_searches_takes_feedback_and_evaluates(everywhere: Everywhere) -> None:
    trace_id = f"tr-{everywhere.run.trace_id}"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(EVALUATION), trace_id],
        env=plain_environ(everywhere.mlflow.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

    def found(condition: str) -> list[str]:
        return [trace["trace_id"] for trace in everywhere.mlflow.search(condition)]

    assert found(f"metadata.`mlflow.trace.session` = '{CONVERSATION}'") == [trace_id]
    assert found("span.name = 'execute_tool find_trains'") == [trace_id]
    assert found("span.name = 'execute_tool book_flight'") == []
    assert found("feedback.helpful = 'true'") == [trace_id]
    (info,) = everywhere.mlflow.search("feedback.names_a_train = 'true'")
    assert {it["assessment_name"]: it["feedback"]["value"] for it in info["assessments"]} == {
        "helpful": True,
        "names_a_train": True,
    }

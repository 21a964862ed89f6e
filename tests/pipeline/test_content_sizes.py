"""Content of 10 KB, 1 MB and 10 MB in the pipeline: it arrives, or is removed completely."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backends.application import Application
from backends.collector import Collector
from backends.jaeger import Jaeger
from backends.mlflow import Mlflow
from backends.otlp_file import records
from backends.otlp_json import attributes
from backends.program import wait_for
from backends.xray import XRay
from backends.zipkin import Zipkin
from opentelemetry._logs import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.trace import SpanKind, StatusCode, format_trace_id

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.registry import CONTENT

KB, MB = 1_000, 1_000_000
SMALL = 50
"""Spans that share the request with the large one."""
DROPPED = attr.OTEL_AGENTS_CONTENT_DROPPED
SECRET = "sk-" + "a1B2" * 8


def messages(size: int) -> str:
    """Return messages of about ``size`` bytes, with multi-byte characters."""
    text = "Grüße! " * (size // 9)
    return json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": text}]}], ensure_ascii=False
    )


def chat(application: Application, **content: str) -> str:
    """Send one request: a trace of a span with content and small spans; return its id."""
    tracer = application.tracer
    with tracer.start_as_current_span("invoke_agent planner") as agent:
        for _ in range(SMALL // 2):
            tracer.start_span("execute_tool before").end()
        known = {
            attr.GEN_AI_OPERATION_NAME: "chat",
            attr.GEN_AI_PROVIDER_NAME: "openai",
            **content,
        }
        tracer.start_span("chat gpt", kind=SpanKind.CLIENT, attributes=known).end()
        for _ in range(SMALL // 2):
            tracer.start_span("execute_tool after").end()
    application.flush()
    return format_trace_id(agent.get_span_context().trace_id)


def whole(read: Callable[[str], list[dict[str, Any]]], trace_id: str) -> list[dict[str, Any]]:
    """Wait for all spans of a trace of `chat`, and return them."""

    def look() -> list[dict[str, Any]] | None:
        found = read(trace_id)
        return found if len(found) == SMALL + 2 else None

    return wait_for(look, f"all spans of {trace_id}")


def named(spans: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the only span with a name."""
    (found,) = (span for span in spans if span["name"] == name)
    return found


def content_of(known: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a span, and the truncation mark."""
    return {key: value for key, value in known.items() if key in {*CONTENT, DROPPED}}


@pytest.fixture(scope="module")
def xray() -> Iterator[XRay]:
    """Start X-Ray with its limits, none of which may be exceeded."""
    with XRay() as xray:
        yield xray
        assert xray.refused == []


@pytest.fixture(scope="module")
def collector(jaeger: Jaeger, zipkin: Zipkin, mlflow: Mlflow, xray: XRay) -> Iterator[Collector]:
    """Start a Collector before every backend."""
    environ = {**jaeger.environ, **zipkin.environ, **mlflow.environ, **xray.environ}
    names = ("jaeger", "zipkin", "mlflow", "xray", "xray-otlp")
    with Collector(*names, environ=environ) as collector:
        yield collector


SIZES = {"10KB": 10 * KB, "1MB": MB, "10MB": 10 * MB}
SENT = {
    name: {attr.GEN_AI_INPUT_MESSAGES: messages(size), attr.GEN_AI_OUTPUT_MESSAGES: messages(KB)}
    for name, size in SIZES.items()
}


@pytest.fixture(scope="module", params=SIZES)
def trace(request: pytest.FixtureRequest, collector: Collector) -> tuple[str, str]:
    """Return the name of a size, and its trace."""
    with Application(collector.endpoint) as application:
        return request.param, chat(application, **SENT[request.param])


def fitting(size: str) -> dict[str, Any]:
    """Return the content within the limits of every backend, and the mark."""
    if size != "10MB":
        return SENT[size]
    output = SENT[size][attr.GEN_AI_OUTPUT_MESSAGES]
    return {attr.GEN_AI_OUTPUT_MESSAGES: output, DROPPED: [attr.GEN_AI_INPUT_MESSAGES]}


def test_jaeger_has_what_fits_and_the_rest_of_the_trace(
    trace: tuple[str, str], jaeger: Jaeger
) -> None:
    size, trace_id = trace
    found = named(whole(jaeger.spans, trace_id), "chat gpt")
    assert content_of(attributes(found)) == fitting(size)


def test_mlflow_has_what_fits_and_the_rest_of_the_trace(
    trace: tuple[str, str], mlflow: Mlflow
) -> None:
    size, trace_id = trace
    found = named(whole(mlflow.spans, trace_id), "chat gpt")
    read = {
        name: text if name == DROPPED else json.loads(text) for name, text in fitting(size).items()
    }
    assert content_of(attributes(found)) == read


def test_zipkin_has_the_trace_without_content(trace: tuple[str, str], zipkin: Zipkin) -> None:
    size, trace_id = trace
    spans = {span["name"]: span.get("tags", {}) for span in whole(zipkin.spans, trace_id)}
    dropped = sorted(SENT[size])
    assert content_of(spans["chat gpt"]) == {DROPPED: json.dumps(dropped, separators=(",", ":"))}


def test_xray_has_documents_within_its_limit_without_content(
    trace: tuple[str, str], xray: XRay
) -> None:
    size, trace_id = trace
    documents = whole(xray.documents, trace_id)
    (found,) = (document for document in documents if document["name"] == "openai")
    assert content_of(found["metadata"]["default"]) == {DROPPED: sorted(SENT[size])}
    assert found["annotations"]["gen_ai.operation.name"] == "chat"


def test_xrays_otlp_endpoint_takes_every_span_content_up_to_its_limit(
    trace: tuple[str, str], xray: XRay
) -> None:
    size, trace_id = trace

    def look() -> list[Span] | None:
        spans = xray.spans_of(trace_id)
        return spans if len(spans) == SMALL + 2 else None

    (found,) = (span for span in wait_for(look, "all spans") if span.name == "chat gpt")
    names = {pair.key for pair in found.attributes} & {*CONTENT, DROPPED}
    kept = {
        "10KB": set(SENT[size]),
        "1MB": {DROPPED},
        "10MB": {DROPPED, attr.GEN_AI_OUTPUT_MESSAGES},
    }
    assert names == kept[size]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("stage", ["agent", "load-balancer", "redacted"])
def test_what_fits_passes_every_stage_before_a_backend(
    jaeger: Jaeger, stage: str, size: str
) -> None:
    """An agent and a load balancer send to a gateway that samples everything."""
    everything = {**jaeger.environ, "SAMPLING_PERCENTAGE": "100", "DECISION_WAIT": "1s"}
    with Collector("gateway", environ=everything) as gateway:
        address = gateway.otlp_grpc
        onward = {"GATEWAY_ENDPOINT": address, "GATEWAYS": f"[{address}]"}
        with (
            Collector(stage, environ={**jaeger.environ, **onward}) as collector,
            Application(collector.endpoint) as application,
        ):
            trace_id = chat(application, **SENT[size])
            found = named(whole(jaeger.spans, trace_id), "chat gpt")
    assert content_of(attributes(found)) == fitting(size)


def test_content_whose_sum_is_over_goes_altogether(collector: Collector, jaeger: Jaeger) -> None:
    sent = dict.fromkeys(CONTENT, messages(300 * KB))
    with Application(collector.endpoint) as application:
        trace_id = chat(application, **sent)
    found = named(whole(jaeger.spans, trace_id), "chat gpt")
    assert content_of(attributes(found)) == {DROPPED: list(CONTENT)}


def test_long_values_that_are_no_content_are_truncated(
    collector: Collector, jaeger: Jaeger
) -> None:
    with Application(collector.endpoint) as application:
        trace_id = chat(application, note="é" * 2 * MB)
    found = named(whole(jaeger.spans, trace_id), "chat gpt")
    known = attributes(found)
    assert (known["note"], known[DROPPED]) == ("é" * 2000, ["*"])


def test_many_large_spans_in_one_request_all_arrive(collector: Collector, jaeger: Jaeger) -> None:
    text = messages(900 * KB)
    with Application(collector.endpoint) as application:
        with application.tracer.start_as_current_span("invoke_agent planner") as agent:
            for _ in range(12):
                known = {attr.GEN_AI_INPUT_MESSAGES: text}
                application.tracer.start_span("chat gpt", attributes=known).end()
        application.flush()
    trace_id = format_trace_id(agent.get_span_context().trace_id)

    def look() -> list[dict[str, Any]] | None:
        found = jaeger.spans(trace_id)
        return found if len(found) == 13 else None

    spans = wait_for(look, "all spans")
    sent = [
        attributes(span).get(attr.GEN_AI_INPUT_MESSAGES)
        for span in spans
        if span["name"] == "chat gpt"
    ]
    assert sent == [text] * 12


def test_a_key_is_masked_wherever_it_is_and_the_json_stays_valid(
    collector: Collector, jaeger: Jaeger, zipkin: Zipkin, mlflow: Mlflow, xray: XRay
) -> None:
    messages_text = json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": f"use {SECRET}"}]}]
    )
    known: dict[str, Any] = {
        attr.GEN_AI_INPUT_MESSAGES: messages_text,
        attr.GEN_AI_TOOL_CALL_ARGUMENTS: {"key": SECRET},
        "http.header": SECRET,
    }
    with Application(collector.endpoint) as application:
        span = application.tracer.start_span(f"chat {SECRET}", attributes=known)
        span.record_exception(ValueError(SECRET))
        span.set_status(StatusCode.ERROR, f"no such key: {SECRET}")
        span.end()
        application.flush()
    trace_id = format_trace_id(span.get_span_context().trace_id)
    for read in (jaeger.spans, zipkin.spans, xray.documents, mlflow.spans):
        assert SECRET not in json.dumps(wait_for(lambda read=read: read(trace_id), "the span"))
    (found,) = jaeger.spans(trace_id)
    masked = attributes(found)
    assert found["name"] == "chat ****"
    assert found["status"]["message"] == "no such key: ****"
    assert attributes(found["events"][0])["exception.message"] == "****"
    assert json.loads(masked[attr.GEN_AI_INPUT_MESSAGES])[0]["parts"][0]["content"] == "use ****"
    assert json.loads(masked[attr.GEN_AI_TOOL_CALL_ARGUMENTS]) == {"key": "****"}


def test_events_are_bounded_and_masked_as_spans_are(tmp_path: Path) -> None:
    logs = tmp_path / "logs.jsonl"
    small = json.dumps([{"role": "user", "parts": [{"type": "text", "content": SECRET}]}])
    with (
        Collector("quickstart", "zipkin", environ={"LOGS_FILE": str(logs)}) as collector,
        Application(collector.endpoint) as application,
    ):
        for content in (small, messages(10 * MB)):
            known = {attr.GEN_AI_INPUT_MESSAGES: content, attr.GEN_AI_OUTPUT_MESSAGES: small}
            application.logger.emit(LogRecord(body={"messages_text": content}, attributes=known))
        application.flush()
        found = wait_for(lambda: records(logs), "both events")
    masked = small.replace(SECRET, "****")
    kept, emptied = found
    assert content_of(attributes(kept)) == dict.fromkeys(
        (attr.GEN_AI_INPUT_MESSAGES, attr.GEN_AI_OUTPUT_MESSAGES), masked
    )
    assert kept["body"] == {
        "kvlistValue": {"values": [{"key": "messages_text", "value": {"stringValue": masked}}]}
    }
    assert content_of(attributes(emptied)) == {
        attr.GEN_AI_OUTPUT_MESSAGES: masked,
        DROPPED: [attr.GEN_AI_INPUT_MESSAGES, "body"],
    }
    assert emptied["body"] == {"stringValue": ""}

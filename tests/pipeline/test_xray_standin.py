"""The fake X-Ray refuses what AWS refuses: each limit once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from backends.xray import XRay
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

TRACE = "1-58406520-a006649127e371903a2de979"
SEGMENT: dict[str, Any] = {
    "name": "travel planner",
    "id": "70de5b6f19ff9a0a",
    "trace_id": TRACE,
    "start_time": 1.5,
    "end_time": 2.5,
}
SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/xray/aws4_request"}


@pytest.fixture
def xray() -> Iterator[XRay]:
    with XRay() as xray:
        yield xray


def call(xray: XRay, *documents: str) -> requests.Response:
    """Call PutTraceSegments."""
    body = {"TraceSegmentDocuments": documents}
    return requests.post(f"{xray.endpoint}/TraceSegments", json=body, headers=SIGNED, timeout=10)


def put(xray: XRay, *documents: str) -> list[dict[str, str]]:
    """Put documents; return those that were not processed."""
    return call(xray, *documents).json()["UnprocessedTraceSegments"]


def of_size(number: int) -> str:
    empty = json.dumps({**SEGMENT, "metadata": ""})
    return json.dumps({**SEGMENT, "metadata": "x" * (number - len(empty))})


def test_what_is_within_the_limits_is_taken(xray: XRay) -> None:
    annotations = {"gen_ai.agent.name": "planner", "tokens": 12, "good": True}
    child = {
        **SEGMENT,
        "id": "53995c3f42cd8ad8",
        "type": "subsegment",
        "parent_id": "70de5b6f19ff9a0a",
    }
    documents = [{**SEGMENT, "annotations": annotations}, child]
    assert put(xray, *map(json.dumps, documents), of_size(65536)) == []
    assert xray.segments["53995c3f42cd8ad8"] == child
    assert xray.refused == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": "70DE"}, "the id 70DE"),
        ({"trace_id": TRACE[2:]}, f"the trace id {TRACE[2:]}"),
        ({"name": "what?"}, "the name what?"),
        ({"name": "x" * 201}, f"the name {'x' * 201}"),
        ({"start_time": "now"}, "no start time"),
        ({"end_time": None, "type": "span"}, "the type span"),
        ({"type": "subsegment"}, "a subsegment without a parent"),
        ({"namespace": "local"}, "the namespace local"),
        ({"annotations": {"a-b": 1}}, "the annotation key a-b"),
        ({"annotations": {"list": ["a"]}}, "the annotation list of type list"),
        ({"annotations": {"long": "x" * 1001}}, "the annotation long of 1001 characters"),
    ],
)
def test_a_document_that_breaks_a_rule_is_unprocessed(
    xray: XRay, change: dict[str, Any], reason: str
) -> None:
    document = {**SEGMENT, **change}
    assert put(xray, json.dumps(document)) == [
        {"Id": document["id"], "ErrorCode": "InvalidSegment", "Message": reason}
    ]
    assert (xray.refused, xray.segments) == ([reason], {})


def test_a_document_over_64_kb_is_unprocessed_alone(xray: XRay) -> None:
    good = json.dumps({**SEGMENT, "id": "53995c3f42cd8ad8"})
    assert [it["Message"] for it in put(xray, of_size(65537), good)] == [
        "a document of 65537 bytes"
    ]
    assert list(xray.segments) == ["53995c3f42cd8ad8"]


def test_no_json_and_no_end_are_unprocessed(xray: XRay) -> None:
    unfinished = {key: value for key, value in SEGMENT.items() if key != "end_time"}
    refused = put(xray, "{", json.dumps(unfinished))
    assert [it["Message"] for it in refused] == [
        "a document that is no JSON",
        "neither an end time nor in progress",
    ]
    assert put(xray, json.dumps({**unfinished, "in_progress": True})) == []


def test_annotations_are_counted_over_the_trace(xray: XRay) -> None:
    first = {**SEGMENT, "annotations": {f"first_{n}": n for n in range(30)}}
    second = {**SEGMENT, "annotations": {f"second_{n}": n for n in range(21)}}
    assert put(xray, json.dumps(first)) == []
    assert [it["Message"] for it in put(xray, json.dumps(second))] == ["51 annotations in a trace"]


def test_a_call_with_more_than_50_documents_is_refused_whole(xray: XRay) -> None:
    assert call(xray, *[json.dumps(SEGMENT)] * 51).status_code == 400
    assert (xray.refused, xray.segments) == (["51 documents in one call"], {})


def export(xray: XRay, *sizes: int, headers: dict[str, str] = SIGNED) -> requests.Response:
    """Send a span of each size to the OTLP endpoint."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number, size in enumerate(sizes):
        spans.add(span_id=number.to_bytes(8, "big"), name="x" * (size - 16))
    body = request.SerializeToString()
    return requests.post(f"{xray.endpoint}/v1/traces", data=body, headers=headers, timeout=10)


def test_the_otlp_endpoint_refuses_a_large_span_alone(xray: XRay) -> None:
    reply = export(xray, 200_000, 200_100)
    response = ExportTraceServiceResponse.FromString(reply.content)
    assert (reply.status_code, response.partial_success.rejected_spans) == (200, 1)
    assert list(xray.spans) == ["0000000000000000"]


@pytest.mark.parametrize(
    ("sizes", "headers", "status"),
    [((190_000,) * 27, SIGNED, 413), ((20,) * 10_001, SIGNED, 400), ((20,), {}, 403)],
)
def test_the_otlp_endpoint_refuses_a_request_whole(
    xray: XRay, sizes: tuple[int, ...], headers: dict[str, str], status: int
) -> None:
    assert export(xray, *sizes, headers=headers).status_code == status
    assert (len(xray.refused), xray.spans) == (1, {})

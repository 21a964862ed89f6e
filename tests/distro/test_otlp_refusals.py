"""What a receiver says when it refuses: in the line, in short, and with nothing of ours in it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from instrumented import instrumented, script
from otlp_outlets import GRPC, HTTP, RECEIVERS, ask, clear_variables, outlet_for
from strict_receivers import Refusal, StrictGrpc, StrictHttp

from otel_agents.distro.otlp.outcome import Outcome
from otel_agents.distro.otlp.words import body_text, in_short

JSON, PROTOBUF = "application/json; charset=utf-8", "application/x-protobuf"
WORK = """
    from opentelemetry import trace

    trace.get_tracer("t").start_span("work", attributes={"user": "ada lovelace of london"}).end()
"""


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_variables(monkeypatch)


def refused(monkeypatch: pytest.MonkeyPatch, protocol: str, refusal: Refusal) -> Outcome:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret")
    with RECEIVERS[protocol](refusal=refusal) as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        transport = outlet_for("traces")
        outcome = ask(transport)
        transport.close()
    return outcome


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        (PROTOBUF, Status(code=3, message="no tenant").SerializeToString(), "no tenant"),
        (PROTOBUF, b"\xff\xff no protobuf", ""),
        (JSON, b'{"message": "no tenant"}', "no tenant"),
        (JSON, b'{"error": {"code": 7, "message": "no tenant"}}', "no tenant"),
        (JSON, b'{"code": 7}', '{"code": 7}'),
        (JSON, b"no JSON", "no JSON"),
        ("text/plain", b"no\n  tenant\x00\x1b[31m\r\n", "no tenant [31m"),
        ("text/html", b"<html><title>Bad\nGateway</title><body>long", "Bad Gateway"),
        ("text/html", b"<p>long", ""),
        ("", b"", ""),
    ],
)
def test_the_message_of_each_kind_of_body(
    kind: str, body: bytes, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = refused(monkeypatch, HTTP, Refusal(422, body, kind))
    assert outcome == Outcome(False, False, "HTTP 422", said=said)


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (
            Refusal(503, b"full", headers={"Retry-After": "7"}),
            Outcome(False, True, "HTTP 503", 7.0, "full"),
        ),
        (
            Refusal(308, headers={"Location": "https://u:pw@other.example/v1/traces"}),
            Outcome(False, False, "HTTP 308", said="it moved to https://other.example/v1/traces"),
        ),
    ],
)
def test_other_answers_of_http(
    refusal: Refusal, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(monkeypatch, HTTP, refusal) == outcome


def retry_info(seconds: int) -> bytes:
    detail = Packed()
    detail.Pack(RetryInfo(retry_delay=Duration(seconds=seconds)))
    return Status(code=8, details=[detail]).SerializeToString()


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (
            Refusal(grpc.StatusCode.INVALID_ARGUMENT, b"no tenant"),
            Outcome(False, False, "INVALID_ARGUMENT", said="no tenant"),
        ),
        (
            Refusal(grpc.StatusCode.UNAVAILABLE, b"the queue is full"),
            Outcome(False, True, "UNAVAILABLE", said="the queue is full"),
        ),
        (
            Refusal(
                grpc.StatusCode.UNAVAILABLE,
                b"upstream connect error: delayed connect error: Connection refused",
            ),
            Outcome(
                False,
                True,
                "UNAVAILABLE",
                said="upstream connect error: delayed connect error: Connection refused",
            ),
        ),
        (
            Refusal(grpc.StatusCode.UNAVAILABLE, b"failed to connect to backend"),
            Outcome(False, True, "UNAVAILABLE", said="failed to connect to backend"),
        ),
        (
            Refusal(grpc.StatusCode.UNAVAILABLE, b"upstream: TLS handshake failed"),
            Outcome(False, True, "UNAVAILABLE", said="upstream: TLS handshake failed"),
        ),
        (
            Refusal(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                b"too much",
                headers={"grpc-status-details-bin": retry_info(7)},
            ),
            Outcome(False, True, "RESOURCE_EXHAUSTED", 7.0, "too much"),
        ),
        (
            Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, b"larger than max"),
            Outcome(False, False, "RESOURCE_EXHAUSTED", said="larger than max"),
        ),
        (
            Refusal(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                headers={"grpc-status-details-bin": b"\xff\xff no protobuf"},
            ),
            Outcome(False, False, "RESOURCE_EXHAUSTED"),
        ),
    ],
    ids=lambda it: getattr(it, "reason", ""),
)
def test_the_details_of_grpc(
    refusal: Refusal, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(monkeypatch, GRPC, refusal) == outcome


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_no_header_is_told(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status: Any = 401 if protocol == HTTP else grpc.StatusCode.UNAUTHENTICATED
    refusal = Refusal(status, b"token s3cret of 'Bearer s3cret' is unknown")
    assert refused(monkeypatch, protocol, refusal).said == "token … of '…' is unknown"


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_no_header_is_told_encoded_or_in_another_case(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "authorization=Bearer%20qK9/%2Fz="
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", header)
    status: Any = 401 if protocol == HTTP else grpc.StatusCode.UNAUTHENTICATED
    echoes = b"no qK9//z= nor qK9%2F%2Fz%3D nor QK9//Z= nor Bearer%20qK9/%2Fz= nor qk9%2f%2fz%3d"
    outcome = refused(monkeypatch, protocol, Refusal(status, echoes))
    assert outcome.said == "no … nor … nor … nor … nor …"


def test_a_long_message_is_cut() -> None:
    line = in_short("word " * 10_000, (), lambda: b"")
    assert (len(line), line[-2:]) == (200, "d…")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bad value 'ada lovelace of london' in user", "bad value … in user"),
        ("span 4bf92f3577b3 is late", "span … is late"),
        ("the user is unknown", "the user is unknown"),
    ],
)
def test_what_it_repeats_of_the_request_is_left_out(text: str, said: str) -> None:
    request = b"\x0a\x04user\x12\x16ada lovelace of london\x18\x01the id 4bf92f3577b3"
    assert in_short(text, (), lambda: request) == said


def test_the_request_is_looked_at_only_where_something_was_said() -> None:
    unread: Callable[[], bytes] = lambda: pytest.fail("read")
    assert in_short(" \n ", (), unread) == ""


def test_deep_json_is_text() -> None:
    body = b"[" * 200_000
    assert body_text(JSON, body) == body.decode()


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_the_line_has_it(protocol: str, tmp_path: Path) -> None:
    said = json.dumps({"message": "no tenant; 'ada lovelace of london' is new"}).encode()
    refusal = (
        Refusal(403, said, JSON)
        if protocol == HTTP
        else Refusal(
            grpc.StatusCode.PERMISSION_DENIED, b"no tenant; 'ada lovelace of london' is new"
        )
    )
    with (StrictHttp if protocol == HTTP else StrictGrpc)(refusal=refusal) as receiver:
        done = instrumented(
            script(tmp_path, WORK),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_METRICS_EXPORTER": "none",
            },
        )
    reason = "HTTP 403" if protocol == HTTP else "PERMISSION_DENIED"
    assert done.err.splitlines() == [
        (
            f"otel-agents: {receiver.endpoint} does not accept spans ({reason}: no tenant; … is new); "
            "what it refuses is dropped; set OTEL_EXPORTER_OTLP_HEADERS"
        )
    ]

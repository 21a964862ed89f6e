"""A receiver's message when it refuses: logged, truncated, without our secrets and data."""

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
from otlp_transports import GRPC, HTTP, RECEIVERS, clear_variables, send_empty, transport_for
from strict_receivers import Refusal, StrictGrpc, StrictHttp

from otel_agents.distro.otlp.outcome import Outcome
from otel_agents.distro.otlp.responses import body_text, redacted_line

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
        transport = transport_for("traces")
        outcome = send_empty(transport)
        transport.close()
    return outcome


@pytest.mark.parametrize(
    ("kind", "body", "message"),
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
    kind: str, body: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = refused(monkeypatch, HTTP, Refusal(422, body, kind))
    assert outcome == Outcome(False, False, "HTTP 422", message=message)


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (
            Refusal(503, b"full", headers={"Retry-After": "7"}),
            Outcome(False, True, "HTTP 503", 7.0, "full"),
        ),
        (
            Refusal(308, headers={"Location": "https://u:pw@other.example/v1/traces"}),
            Outcome(False, False, "HTTP 308", message="moved to https://other.example/v1/traces"),
        ),
    ],
)
def test_other_http_responses(
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
            Outcome(False, False, "INVALID_ARGUMENT", message="no tenant"),
        ),
        (
            Refusal(grpc.StatusCode.UNAVAILABLE, b"the queue is full"),
            Outcome(False, True, "UNAVAILABLE", message="the queue is full"),
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
                message="upstream connect error: delayed connect error: Connection refused",
            ),
        ),
        (
            Refusal(grpc.StatusCode.UNAVAILABLE, b"failed to connect to backend"),
            Outcome(False, True, "UNAVAILABLE", message="failed to connect to backend"),
        ),
        (
            Refusal(grpc.StatusCode.UNAVAILABLE, b"upstream: TLS handshake failed"),
            Outcome(False, True, "UNAVAILABLE", message="upstream: TLS handshake failed"),
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
            Outcome(False, False, "RESOURCE_EXHAUSTED", message="larger than max"),
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
def test_grpc_status_details(
    refusal: Refusal, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(monkeypatch, GRPC, refusal) == outcome


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_header_values_are_redacted(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status: Any = 401 if protocol == HTTP else grpc.StatusCode.UNAUTHENTICATED
    refusal = Refusal(status, b"token s3cret of 'Bearer s3cret' is unknown")
    assert refused(monkeypatch, protocol, refusal).message == "token … of '…' is unknown"


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_header_values_are_redacted_encoded_or_in_another_case(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "authorization=Bearer%20qK9/%2Fz="
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", header)
    status: Any = 401 if protocol == HTTP else grpc.StatusCode.UNAUTHENTICATED
    echoes = b"no qK9//z= nor qK9%2F%2Fz%3D nor QK9//Z= nor Bearer%20qK9/%2Fz= nor qk9%2f%2fz%3d"
    outcome = refused(monkeypatch, protocol, Refusal(status, echoes))
    assert outcome.message == "no … nor … nor … nor … nor …"


def test_a_long_message_is_truncated() -> None:
    line = redacted_line("word " * 10_000, (), lambda: b"")
    assert (len(line), line[-2:]) == (200, "d…")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bad value 'ada lovelace of london' in user", "bad value … in user"),
        ("span 4bf92f3577b3 is late", "span … is late"),
        ("the user is unknown", "the user is unknown"),
    ],
)
def test_echoes_of_the_request_are_redacted(text: str, message: str) -> None:
    request = b"\x0a\x04user\x12\x16ada lovelace of london\x18\x01the id 4bf92f3577b3"
    assert redacted_line(text, (), lambda: request) == message


def test_the_request_is_read_only_if_there_is_a_message() -> None:
    unread: Callable[[], bytes] = lambda: pytest.fail("read")
    assert redacted_line(" \n ", (), unread) == ""


def test_deep_json_is_text() -> None:
    body = b"[" * 200_000
    assert body_text(JSON, body) == body.decode()


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_the_log_line_has_the_message(protocol: str, tmp_path: Path) -> None:
    message = json.dumps({"message": "no tenant; 'ada lovelace of london' is new"}).encode()
    refusal = (
        Refusal(403, message, JSON)
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
            f"otel-agents: {receiver.endpoint} rejects spans ({reason}: no tenant; … is new); "
            "what it rejects is dropped; set OTEL_EXPORTER_OTLP_HEADERS"
        )
    ]

"""A broken connection is retryable; a request that settings make impossible blames no item."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from instrumented import instrumented, script
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from otlp_transports import RECEIVERS, clear_variables, send_empty, transport_for
from requests.auth import AuthBase
from strict_receivers import StrictHttp

from otel_agents.distro.environment import Environment, Signal
from otel_agents.distro.export.pipeline import Pipeline
from otel_agents.distro.otlp.outcome import Outcome
from otel_agents.distro.otlp.transport import OtlpTransport
from otel_agents.instrumentors.settings import Settings

BROKEN = {
    "nothing": ("http", b""),
    "half a chunk": ("http", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
    "half a body": ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"),
    "no handshake": ("https", b""),
}
HEADER = "x-tenant=%E2%82%AC"
"""Not encodable as Latin-1 or ASCII."""
MISCONFIGURED = Outcome(False, False, "a header that cannot be sent", misconfigured=True)
WORK = """
    from opentelemetry import trace

    for _ in range(2):
        for number in range(5):
            trace.get_tracer("t").start_span("work").end()
        trace.get_tracer_provider().force_flush()
"""


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_variables(monkeypatch)


@contextmanager
def breaking(response: bytes) -> Generator[str, None, None]:
    """Yield host and port of a server that sends ``response`` and closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                connection, _ = server.accept()
                with connection, suppress(OSError):
                    connection.recv(1 << 20)
                    connection.sendall(response)

        thread = threading.Thread(target=serve)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        yield address
        ended.set()
        socket.create_connection(server.getsockname()).close()
        thread.join()


@pytest.mark.parametrize("failure", BROKEN)
def test_a_broken_connection_is_retryable(failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scheme, response = BROKEN[failure]
    with breaking(response) as address:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"{scheme}://{address}")
        transport = transport_for("traces")
        outcome = send_empty(transport)
        transport.close()
    assert outcome == Outcome(False, True, "connection closed")


def sendable(environment: Environment, signal: Signal) -> bool:
    return True


def configure(monkeypatch: pytest.MonkeyPatch, receiver: Any, protocol: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", HEADER)
    monkeypatch.setattr(Environment, "sendable", sendable)  # as if the check did not exist


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_an_unsendable_header_is_a_configuration_error(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RECEIVERS[protocol]() as receiver:
        configure(monkeypatch, receiver, protocol)
        transport = transport_for("traces")
        outcome = send_empty(transport)
        transport.close()
        assert outcome == MISCONFIGURED
        assert receiver.arrived == []


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_such_a_batch_is_dropped_at_once(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not sent item by item, each in its own request."""
    with RECEIVERS[protocol]() as receiver:
        configure(monkeypatch, receiver, protocol)
        pipeline = Pipeline(Settings.read({}))
        tracers = TracerProvider(shutdown_on_exit=False)
        for processor in pipeline.span_processors():
            tracers.add_span_processor(processor)
        for _ in range(8):
            tracers.get_tracer("t").start_span("work").end()
        tracers.force_flush()
        (delivery,) = pipeline.deliveries["traces"]
        tracers.shutdown()
    assert (dict(delivery.counts.dropped), delivery.counts.failures) == ({"rejected": 8}, 1)


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_an_unsendable_header_is_logged_in_one_line(protocol: str, tmp_path: Path) -> None:
    with RECEIVERS[protocol]() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_HEADERS": HEADER,
            "OTEL_METRICS_EXPORTER": "none",
        }
        done = instrumented(script(tmp_path, WORK), variables)
    assert done.err == (
        "otel-agents: OTEL_EXPORTER_OTLP_HEADERS has a value that cannot be sent once it is "
        "decoded, so nothing is; use ASCII without line breaks\n"
    )


class Unauthorised(AuthBase):
    """A user's authentication that fails."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        raise ValueError("s3cret")


def test_a_failing_user_session_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with StrictHttp() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        session = requests.Session()
        session.auth = Unauthorised()
        exporter = OTLPSpanExporter(f"{receiver.endpoint}/v1/traces", session=session)
        outcome = send_empty(OtlpTransport(transport_for("traces").signal, exporter=exporter))
        exporter.shutdown()
    assert outcome == Outcome(False, False, "ValueError", misconfigured=True)

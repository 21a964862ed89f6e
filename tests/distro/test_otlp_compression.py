"""Receivers with and without gzip: telemetry is compressed by default and arrives at both."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import grpc
import pytest
from instrumented import instrumented, script
from otlp_transports import GRPC, HTTP, RECEIVERS, clear_variables, send_empty, transport_for
from strict_receivers import Refusal, StrictGrpc, StrictHttp

from otel_agents.distro.command import main
from otel_agents.distro.environment import SIGNALS
from otel_agents.distro.otlp.compression import Compressions
from otel_agents.distro.otlp.outcome import DELIVERED, Outcome

BOTH = pytest.mark.parametrize("protocol", RECEIVERS)
REFUSALS = {HTTP: "HTTP 415: gzip is not supported", GRPC: "UNIMPLEMENTED: Compression algorithm"}
EMIT = """
    import logging, os
    from opentelemetry import metrics, trace
    from opentelemetry._logs import LogRecord, get_logger

    {setup}
    with trace.get_tracer("t").start_as_current_span("work"):
        metrics.get_meter("m").create_counter("counted").add(1)
        get_logger("l").emit(LogRecord(body="said"))
"""


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_variables(monkeypatch)


def point(monkeypatch: pytest.MonkeyPatch, protocol: str, receiver: Any) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)


@BOTH
@pytest.mark.parametrize("compressions", [("gzip",), ()], ids=["with gzip", "without"])
def test_all_signals_arrive_in_one_process(
    protocol: str, compressions: tuple[str, ...], tmp_path: Path
) -> None:
    setup = "logging.basicConfig(level=logging.INFO, format='%(levelname)s %(message)s')"
    with RECEIVERS[protocol](compressions) as receiver:
        done = instrumented(
            script(tmp_path, EMIT.format(setup=setup)),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            },
        )
    lines = [line for line in done.err.splitlines() if "otel-agents" in line]
    assert done.status == 0
    assert {it.path.rpartition("/")[2] for it in receiver.arrived} == {*SIGNALS}
    if compressions:
        assert lines == []
    else:
        assert len(lines) == 1
        assert lines[0].startswith(
            f"INFO otel-agents: {receiver.endpoint} does not accept gzip ({REFUSALS[protocol]}"
        )
        assert lines[0].endswith(
            "set OTEL_EXPORTER_OTLP_COMPRESSION=none to skip the compressed attempt"
        )


@BOTH
def test_one_attempt_teaches_all_signals(
    protocol: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "otel_agents")
    compressions = Compressions()
    with RECEIVERS[protocol](()) as receiver:
        point(monkeypatch, protocol, receiver)
        for signal in SIGNALS:
            transport = transport_for(signal, compressions)
            assert [send_empty(transport), send_empty(transport)] == [DELIVERED, DELIVERED]
            transport.renew()  # as after a fork
            assert send_empty(transport) == DELIVERED
            assert transport.compression == "none"
            transport.close()
    assert len(receiver.arrived) == 9
    assert [record.levelname for record in caplog.records] == ["INFO"]
    if protocol == HTTP:
        assert receiver.refused == 1


@BOTH
def test_a_signal_learns_from_another_though_its_exporter_is_made(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compressions = Compressions()
    with RECEIVERS[protocol]() as receiver:
        point(monkeypatch, protocol, receiver)
        traces, logs = transport_for("traces", compressions), transport_for("logs", compressions)
        assert send_empty(logs) == DELIVERED
        compressions.record_refusal(
            traces.signal, traces.endpoint, Outcome(False, reason="HTTP 415")
        )
        assert [send_empty(traces), send_empty(logs)] == [DELIVERED, DELIVERED]
        traces.close()
        logs.close()
    encodings = [it.headers.get("content-encoding") for it in receiver.arrived]
    if protocol == HTTP:
        assert encodings == ["gzip", None, None]


def test_two_signals_may_learn_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Teaching(StrictHttp):
        def respond(self, path: str, headers: Any, body: bytes) -> Refusal:
            refusal = super().respond(path, headers, body)
            if refusal.status == 415:
                compressions.record_refusal(traces.signal, traces.endpoint, Outcome(False))
            return refusal

    compressions = Compressions()
    with Teaching(()) as receiver:
        point(monkeypatch, HTTP, receiver)
        traces = transport_for("traces", compressions)
        assert send_empty(traces) == DELIVERED
        traces.close()


@BOTH
def test_an_unsupported_signal_is_not_taken_for_unsupported_compression(
    protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused uncompressed as well, which is tried once."""
    options: Any = (
        {"signals": ("logs",)} if protocol == GRPC else {"refusal": Refusal(415, b"no traces here")}
    )
    with RECEIVERS[protocol](**options) as receiver:
        point(monkeypatch, protocol, receiver)
        transport = transport_for("traces")
        first, second = send_empty(transport), send_empty(transport)
        transport.close()
    assert first.reason == second.reason == ("UNIMPLEMENTED" if protocol == GRPC else "HTTP 415")
    assert (first.retryable, transport.compression) == (False, "gzip")


def test_it_is_tried_once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(StrictHttp):
        def respond(self, path: str, headers: Any, body: bytes) -> Refusal:
            tried.append(headers.get("content-encoding", "none"))
            return Refusal(415)

    tried: list[str] = []
    with Counting() as receiver:
        point(monkeypatch, HTTP, receiver)
        transport = transport_for("traces")
        for _ in range(3):
            send_empty(transport)
        transport.close()
    assert tried == ["gzip", "none", "gzip", "gzip"]


def test_an_overload_meanwhile_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with StrictHttp((), refusal=Refusal(503)) as receiver:
        point(monkeypatch, HTTP, receiver)
        transport = transport_for("traces")
        outcome = send_empty(transport)
        assert (outcome.reason, outcome.retryable, transport.compression) == (
            "HTTP 503",
            True,
            "gzip",
        )
        receiver.refusal = None
        assert (send_empty(transport), transport.compression) == (DELIVERED, "none")
        transport.close()


def test_the_response_without_compression_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The receiver understood this request, so it had refused the compression."""
    with StrictHttp((), refusal=Refusal(401, b"who are you")) as receiver:
        point(monkeypatch, HTTP, receiver)
        transport = transport_for("traces")
        assert (send_empty(transport).text, transport.compression) == (
            "HTTP 401: who are you",
            "none",
        )
        transport.close()


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        (b"Content is compressed with `gzip` which isn't supported", ""),
        (b"", "enable the signal in its configuration, or set that exporter to none, or "),
    ],
)
def test_the_users_compression_is_kept(
    message: bytes, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StrictGrpc(refusal=Refusal(grpc.StatusCode.UNIMPLEMENTED, message)) as receiver:
        point(monkeypatch, GRPC, receiver)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        compressions = Compressions()
        transport = transport_for("traces", compressions)
        compressions.record_refusal(
            transport.signal, transport.endpoint, Outcome(False)
        )  # by another signal
        outcome = send_empty(transport)
        transport.close()
    assert outcome.hint == f"{hint}set OTEL_EXPORTER_OTLP_COMPRESSION=none"
    assert transport.compression == "gzip"


@BOTH
def test_a_forked_child_knows_it(protocol: str, tmp_path: Path) -> None:
    program = script(
        tmp_path,
        """
        import os
        from opentelemetry import trace

        def work(name):
            trace.get_tracer("t").start_span(name).end()
            assert trace.get_tracer_provider().force_flush()

        work("parent")
        if not os.fork():
            work("child")
            os._exit(0)
        assert os.wait()[1] == 0
        """,
    )
    with RECEIVERS[protocol](()) as receiver:
        done = instrumented(
            program,
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                "PYTHONWARNINGS": "ignore::DeprecationWarning",  # of forking beside threads
            },
        )
    assert (done.status, done.err, len(receiver.arrived)) == (0, "", 2)
    if protocol == HTTP:
        assert receiver.refused == 1


@BOTH
def test_doctor_shows_it(
    protocol: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "*")
    with RECEIVERS[protocol](()) as receiver:
        point(monkeypatch, protocol, receiver)
        main(["doctor", "--json"])
    signals = json.loads(capsys.readouterr().out)["signals"]
    assert [(it["compression"], it["compression_source"], it["result"]) for it in signals] == [
        ("none", "the receiver", "accepted")
    ] * 3

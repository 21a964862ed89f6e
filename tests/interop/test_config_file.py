"""With declarative configuration the file decides, and our pipeline is added where possible."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from instrumented import DISABLED, instrumented, script
from otlp_receiver import Receiver, free_port

from otel_agents.distro.command import main

CONFIGURATION = """
file_format: "1.0"
tracer_provider:
  processors:
    - batch:
        exporter:
          otlp_http:
            endpoint: {endpoint}/v1/traces
"""
WORK = """
    from opentelemetry import trace

    trace.get_tracer("t").start_span("work").end()
"""


def variables(tmp_path: Path, endpoint: str) -> dict[str, str]:
    path = tmp_path / "otel.yaml"
    path.write_text(CONFIGURATION.format(endpoint=endpoint), encoding="utf-8")
    return {"OTEL_CONFIG_FILE": str(path)}


def test_the_file_sets_the_endpoint_and_our_pipeline_sends(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(script(tmp_path, WORK), variables(tmp_path, receiver.endpoint))
    assert (done.status, done.err, receiver.span_names) == (0, "", ["work"])


def test_no_receiver_is_one_line_there_too(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    done = instrumented(script(tmp_path, WORK), variables(tmp_path, endpoint))
    assert done.err.splitlines() == [
        (
            f"otel-agents: could not deliver to {endpoint} (connection refused) before exit; dropped: 1 span; "
            "start a Collector or set OTEL_EXPORTER_OTLP_ENDPOINT"
        )
    ]


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, WORK),
            {"OTEL_CONFIG_FILE": "/no/such.yaml", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint},
        )
    assert receiver.span_names == ["work"]
    assert done.err.splitlines() == [
        (
            "otel-agents: OTEL_CONFIG_FILE=/no/such.yaml is not a file; "
            "the environment's settings are used"
        )
    ]


@pytest.mark.parametrize("kind", ["otlp_http", "otlp_grpc"])
def test_an_invalid_endpoint_is_one_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "otel.yaml"
    text = CONFIGURATION.format(endpoint="http://localhost:43l7").replace("otlp_http", kind)
    path.write_text(text.replace("/v1/traces", ""), "utf-8")
    done = instrumented(script(tmp_path, WORK), {"OTEL_CONFIG_FILE": str(path)})
    assert done.err.splitlines() == [
        (
            "otel-agents: http://localhost:43l7 (OTEL_CONFIG_FILE) is not an endpoint (43l7 is no port "
            "(1 to 65535)): nothing is sent there; write http://HOST:PORT"
        )
    ]


def test_an_invalid_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "otel.yaml"
    path.write_text("file_format: [", "utf-8")
    done = instrumented(script(tmp_path, WORK), {"OTEL_CONFIG_FILE": str(path)})
    (line,) = done.err.splitlines()
    assert done.status == 0
    assert line.startswith("otel-agents: OpenTelemetry's setup failed (")


def test_doctor_reports_what_the_file_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = variables(tmp_path, "http://collector.example:4318")
    given |= {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://ignored:1", DISABLED: "*"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    main(["doctor", "--json"])
    report = json.loads(capsys.readouterr().out)
    traces, metrics, logs = report["signals"]
    assert traces == {
        "name": "traces",
        "exporters": "otlp_http",
        "exporters_source": "OTEL_CONFIG_FILE",
        "endpoint": "http://collector.example:4318/v1/traces",
        "endpoint_source": "OTEL_CONFIG_FILE",
        "protocol": "http/protobuf",
        "compression": "",
        "compression_source": "",
        "result": "not checked",
        "hint": "",
        "ok": True,
    }
    assert [(it["name"], it["exporters"]) for it in (metrics, logs)] == [
        ("metrics", "none"),
        ("logs", "none"),
    ]


def test_doctor_reports_an_invalid_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "otel.yaml"
    path.write_text("file_format: [", "utf-8")
    monkeypatch.setenv("OTEL_CONFIG_FILE", str(path))
    monkeypatch.setenv(DISABLED, "*")
    assert main(["doctor", "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [it for it in findings if it.startswith(f"OTEL_CONFIG_FILE={path} cannot be used (")]

"""The doctor tells the truth: installed, patched, conflicts, settings, who answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from installed import install
from instrumented import DISABLED, environ
from otlp_receiver import Receiver, free_port

from otel_agents.distro.command import main
from otel_agents.distro.doctor import Examination
from otel_agents.distro.doctor.effective import SettingValue
from otel_agents.distro.doctor.endpoints import SignalAnswer
from otel_agents.distro.doctor.frameworks import Framework

TOY = """
    from otel_agents.instrumentors import AgentInstrumentor, Patch

    def start(telemetry, call):
        return None

    class Instrumentor(AgentInstrumentor):
        plain_name = "toylib"
        requires = ("toylib >= 2, < 3",)
        rivals = ("rival-toylib",)

        def patches(self):
            yield Patch("toylib:Client.ask", start)
            yield Patch("toylib:Client.moved", start)
"""
TOYLIB = """
    print("noise of a framework")

    class Client:
        def ask(self): ...
"""
RIVAL = """
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

    class Rival(BaseInstrumentor):
        def instrumentation_dependencies(self):
            return ("toylib >= 1",)

        def _instrument(self, **kwargs): ...
        def _uninstrument(self, **kwargs): ...
"""


def doctor(*arguments: str, **variables: str) -> tuple[int, str]:
    """Run ``otel-agents doctor`` on nothing but what the test installed."""
    given = environ(variables)
    command = [sys.executable, "-m", "otel_agents.distro", "doctor", *arguments]
    done = subprocess.run(
        command, check=False, env=given, capture_output=True, text=True, encoding="utf-8"
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def toys(folder: Path, version: str = "2.1", toylib: str = TOYLIB) -> dict[str, str]:
    points = {"otel_agents_toylib": "toy_instrumentor:Instrumentor"}
    install(folder, "our-toys", instrumentors=points, modules={"toy_instrumentor": TOY})
    install(folder, "toylib", version, modules={"toylib": toylib})
    return {"PYTHONPATH": str(folder)}


def toy_of(report: dict[str, Any]) -> dict[str, Any]:
    return next(it for it in report["frameworks"] if it["name"] == "toylib")


def about(report: dict[str, Any], name: str) -> list[str]:
    return [line for line in report["findings"] if line.startswith(f"{name}:")]


def test_the_report_has_its_documented_keys_and_is_true() -> None:
    with Receiver() as receiver:
        status, out = doctor("--json", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    report = json.loads(out)
    assert list(report) == ["python", "packages", "frameworks", "settings", "signals", "findings"]
    assert {tuple(it) for it in report["frameworks"]} == {
        (
            "name",
            "installed",
            "requires",
            "runs",
            "summary",
            "targets",
            "rivals",
            "problem",
        )
    }
    assert {tuple(it) for it in report["settings"]} == {("name", "value", "source")}
    assert report["signals"] == [
        {
            "name": name,
            "exporters": "otlp",
            "exporters_source": "default",
            "endpoint": f"{receiver.endpoint}/v1/{name}",
            "endpoint_source": "OTEL_EXPORTER_OTLP_ENDPOINT",
            "protocol": "http/protobuf",
            "answer": "accepted",
            "ok": True,
        }
        for name in ("traces", "metrics", "logs")
    ]
    assert receiver.paths == {"/v1/traces", "/v1/metrics", "/v1/logs"}
    assert status == (1 if report["findings"] else 0)


def test_each_key_stands_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs/doctor.md").read_text("utf-8")
    known = set(re.findall(r"`(\w+)`", page))
    parts = (Examination, Framework, SettingValue, SignalAnswer)
    names = {field.name for part in parts for field in fields(part)}
    assert {name for name in names if not name.endswith("_source")} <= known


@pytest.mark.parametrize(
    "table", ["raise LookupError", "return ['toylib:Client.ask']", "return []"]
)
def test_a_table_that_cannot_be_made_is_a_finding(table: str, tmp_path: Path) -> None:
    variables = toys(tmp_path)
    module = tmp_path / "toy_instrumentor.py"
    head = module.read_text("utf-8").partition("    def patches")[0]
    module.write_text(f"{head}    def patches(self):\n        {table}\n", "utf-8")
    _, out = doctor("--json", **variables)
    assert about(json.loads(out), "toylib") == [
        "toylib: its table of targets is empty, or making it failed"
    ]


def test_without_findings_the_status_is_0() -> None:
    names = ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER")
    status, out = doctor("--json", **dict.fromkeys(names, "none"), **{DISABLED: "*"})
    report = json.loads(out)
    assert (status, report["findings"]) == (0, [])
    assert {it["runs"] for it in report["frameworks"]} <= {"off", "nothing"}


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_nobody_answering_is_one_finding_for_all_signals(protocol: str) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    status, out = doctor(
        "--json", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_PROTOCOL=protocol
    )
    assert status == 1
    assert [line for line in json.loads(out)["findings"] if endpoint in line] == [
        (
            f"{endpoint} does not take traces or metrics or logs (connection refused); "
            "start a Collector there, or set OTEL_EXPORTER_OTLP_ENDPOINT"
        )
    ]


def test_each_target_is_resolved_in_the_installed_version(tmp_path: Path) -> None:
    status, out = doctor("--json", **toys(tmp_path))
    report = json.loads(out)
    toy = toy_of(report)
    assert (status, toy["installed"], toy["runs"]) == (1, {"toylib": "2.1"}, "ours")
    assert {row["target"]: row["state"] for row in toy["targets"]} == {
        "toylib:Client.ask": "applied",
        "toylib:Client.moved": "missing",
    }
    assert about(report, "toylib") == [
        "toylib: not found in the installed version: toylib:Client.moved"
    ]


@pytest.mark.parametrize(
    ("toylib", "problem"),
    [
        ("import os; os._exit(7)", "its import ended the process with status 7 (no output)"),
        ("import time; time.sleep(60)", "its import took more than 1.5 s"),
        ("raise OSError('no libfoo')", "import toylib failed: OSError: no libfoo"),
    ],
)
def test_a_framework_that_cannot_be_imported_is_a_finding(
    tmp_path: Path, toylib: str, problem: str
) -> None:
    _, out = doctor("--json", "--timeout", "1.5", **toys(tmp_path, toylib=toylib))
    assert toy_of(json.loads(out))["problem"] == problem


def test_a_version_that_is_not_supported_is_a_finding(tmp_path: Path) -> None:
    _, out = doctor("--json", **toys(tmp_path, "3.0"))
    report = json.loads(out)
    assert toy_of(report)["runs"] == "nothing"
    assert about(report, "toylib") == [
        "toylib: the installed version is not supported, which is toylib >= 2, < 3"
    ]


@pytest.mark.parametrize(
    ("prefer", "findings"),
    [
        (
            "ours",
            (
                "toylib: also instrumented by rival-toylib, which is not loaded; "
                "uninstall it, or set OTEL_AGENTS_PREFER=theirs"
            ),
        ),
        ("theirs", None),
    ],
)
def test_a_rival_is_named_and_targets_are_resolved_all_the_same(
    tmp_path: Path, prefer: str, findings: str | None
) -> None:
    variables = toys(tmp_path)
    points = {"toylib": "rival:Rival"}
    install(tmp_path, "rival-toylib", instrumentors=points, modules={"rival": RIVAL})
    report = json.loads(doctor("--json", **variables, OTEL_AGENTS_PREFER=prefer)[1])
    assert (toy_of(report)["runs"], toy_of(report)["rivals"]) == (prefer, ["rival-toylib"])
    assert toy_of(report)["summary"] == "1 of 2 applied, missing toylib:Client.moved"
    assert [line for line in about(report, "toylib") if "also" in line] == [
        *filter(None, [findings])
    ]


def test_settings_tell_where_they_are_from_and_what_is_not_understood() -> None:
    status, out = doctor("--json", OTEL_AGENTS_EXIT_TIMEOUT="2", OTEL_AGENTS_PREFER="mine")
    report = json.loads(out)
    settings = {it["name"]: (it["value"], it["source"]) for it in report["settings"]}
    assert status == 1
    assert settings["OTEL_AGENTS_EXIT_TIMEOUT"] == ("2", "OTEL_AGENTS_EXIT_TIMEOUT")
    assert settings["OTEL_AGENTS_PREFER"] == ("ours", "default")
    assert settings["OTEL_AGENTS_METRICS"] == ("previous", "default")
    assert [line for line in report["findings"] if "OTEL_AGENTS_PREFER=mine" in line] == [
        "OTEL_AGENTS_PREFER=mine is not understood; ours is used instead. Accepted: ours, theirs"
    ]


def test_the_text_ends_with_the_findings(tmp_path: Path) -> None:
    status, out = doctor(**toys(tmp_path), OTEL_TRACES_EXPORTER="tree")
    lines = out.splitlines()
    assert status == 1
    assert any(line.split()[:3] == ["toylib", "toylib", "2.1"] for line in lines)
    assert lines[lines.index("findings") + 1 :][-1].endswith(
        "toylib: not found in the installed version: toylib:Client.moved"
    )


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["doctor", "--bad"]])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2
    assert capsys.readouterr().err.startswith("usage: otel-agents")

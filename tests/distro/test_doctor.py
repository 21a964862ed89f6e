"""The doctor's report: installed, patched, conflicts, settings, endpoints."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import grpc
import pytest
from installed import install
from instrumented import DISABLED, environ
from otlp_receiver import Receiver, free_port
from otlp_transports import HTTP, RECEIVERS
from strict_receivers import Refusal, StrictGrpc, StrictHttp

from otel_agents.distro.command import main
from otel_agents.distro.doctor import Examination
from otel_agents.distro.doctor.effective import (
    SettingValue,
    VendorTelemetryStatus,
    effective_settings,
)
from otel_agents.distro.doctor.endpoints import SignalStatus
from otel_agents.distro.doctor.frameworks import Framework
from otel_agents.distro.doctor.others import OtherLibrary
from otel_agents.distro.doctor.scopes import EmittingScope
from otel_agents.distro.environment import Environment
from otel_agents.instrumentors.settings import Settings

TOY = """
    from otel_agents.instrumentors import AgentInstrumentor, Patch

    def start(telemetry, call):
        return None

    class Instrumentor(AgentInstrumentor):
        plain_name = "toylib"
        requires = ("toylib >= 2, < 3",)

        def patches(self):
            yield Patch("toylib:Client.ask", start)
            yield Patch("toylib:Client.moved", start)
"""
TOYLIB = """
    print("noise of a framework")

    class Client:
        def ask(self): ...
"""
CONFLICTING = """
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

    class Conflicting(BaseInstrumentor):
        def instrumentation_dependencies(self):
            return ("toylib >= 1",)

        def _instrument(self, **kwargs): ...
        def _uninstrument(self, **kwargs): ...
"""


OFF = ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER")


def doctor(*arguments: str, **variables: str) -> tuple[int, str]:
    """Run ``otel-agents doctor`` with only what the test installed."""
    return doctor_in(Path.cwd(), *arguments, **variables)


def doctor_in(folder: Path, *arguments: str, **variables: str) -> tuple[int, str]:
    """Run it in ``folder``."""
    given = environ(variables)
    command = [sys.executable, "-m", "otel_agents.distro", "doctor", *arguments]
    done = subprocess.run(
        command,
        check=False,
        env=given,
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def toys(folder: Path, version: str = "2.1", toylib: str = TOYLIB) -> dict[str, str]:
    points = {"otel_agents_toylib": "toy_instrumentor:Instrumentor"}
    install(folder, "our-toys", instrumentors=points, modules={"toy_instrumentor": TOY})
    install(folder, "toylib", version, modules={"toylib": toylib})
    return {"PYTHONPATH": str(folder)}


def declare(folder: Path, **attributes: object) -> None:
    """Give the toy's instrumentor class attributes."""
    module = folder / "toy_instrumentor.py"
    head, patches, rest = module.read_text("utf-8").partition("    def patches")
    given = "".join(f"    {name} = {value!r}\n" for name, value in attributes.items())
    module.write_text(f"{head}{given}{patches}{rest}", "utf-8")


def toy_of(report: dict[str, Any]) -> dict[str, Any]:
    return next(it for it in report["frameworks"] if it["name"] == "toylib")


def about(report: dict[str, Any], name: str) -> list[str]:
    return [line for line in report["findings"] if line.startswith(f"{name}:")]


def test_the_report_has_its_documented_keys_and_is_true() -> None:
    with Receiver() as receiver:
        status, out = doctor("--json", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    report = json.loads(out)
    assert list(report) == [
        *("python", "packages", "frameworks", "others", "scopes", "settings"),
        *("vendor_telemetry", "signals", "findings"),
    ]
    assert {tuple(it) for it in report["frameworks"]} == {
        (
            "name",
            "installed",
            "requires",
            "runs",
            "summary",
            "targets",
            "conflicts",
            "also_active",
            "problem",
            "own_telemetry",
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
            "compression": "gzip",
            "compression_source": "default",
            "result": "accepted",
            "hint": "",
            "ok": True,
        }
        for name in ("traces", "metrics", "logs")
    ]
    assert receiver.paths == {"/v1/traces", "/v1/metrics", "/v1/logs"}
    assert status == (1 if report["findings"] else 0)


def test_vendor_telemetry_is_listed_with_how_to_change_it() -> None:
    def reported(**variables: str) -> dict[str, tuple[str, str]]:
        report = json.loads(doctor("--json", **dict.fromkeys(OFF, "none"), **variables)[1])
        return {
            row["library"]: (row["sent"], row["to_change"]) for row in report["vendor_telemetry"]
        }

    rows = reported(**{DISABLED: "*", "ANONYMIZED_TELEMETRY": "true"})
    assert rows["CrewAI"] == ("no", "CREWAI_DISABLE_TELEMETRY=false")
    chroma = rows["Chroma, a dependency of CrewAI"]
    assert chroma == ("as ANONYMIZED_TELEMETRY=true says", "unset ANONYMIZED_TELEMETRY")
    assert reported(OTEL_SDK_DISABLED="true")["CrewAI"] == (
        "as without otel-agents (OTEL_SDK_DISABLED)",
        "unset OTEL_SDK_DISABLED",
    )


@pytest.mark.parametrize(
    ("prefer", "becomes"),
    [("ours", "disabled unless OTEL_AGENTS_PREFER=theirs"), ("theirs", "preferred to ours")],
)
def test_telemetry_of_the_librarys_own_is_named(prefer: str, becomes: str, tmp_path: Path) -> None:
    variables = {**toys(tmp_path), "OTEL_AGENTS_PREFER": prefer}
    declare(tmp_path, own_telemetry="the callback of toylib", vendor_exporter="the upload")
    _, out = doctor("--json", **variables)
    expected = f"the callback of toylib: {becomes}; the upload"
    assert toy_of(json.loads(out))["own_telemetry"] == expected
    assert expected in doctor(**variables)[1]


def test_a_library_whose_own_spans_are_completed_is_native(tmp_path: Path) -> None:
    variables = toys(tmp_path)
    declare(tmp_path, is_native=True)
    expected = "native, completed by us"
    assert toy_of(json.loads(doctor("--json", **variables)[1]))["own_telemetry"] == expected
    assert expected in doctor(**variables)[1]


def test_a_known_scope_whose_content_is_to_be_kept_is_a_finding() -> None:
    kept = "shop, strands.telemetry.tracer, *"
    _, out = doctor("--json", OTEL_AGENTS_FOREIGN_CONTENT=kept, **{DISABLED: "*"})
    assert [line for line in json.loads(out)["findings"] if "FOREIGN" in line] == [
        (
            "OTEL_AGENTS_FOREIGN_CONTENT=strands.telemetry.tracer does nothing: that is Strands, "
            "which otel-agents knows; to keep its content, enable content capture"
        )
    ]


def test_an_exporter_to_the_vendor_is_named_where_ours_is_disabled(tmp_path: Path) -> None:
    variables = {**toys(tmp_path), "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "toylib"}
    declare(tmp_path, vendor_exporter="the upload")
    assert toy_of(json.loads(doctor("--json", **variables)[1]))["own_telemetry"] == "the upload"


@pytest.mark.parametrize(("value", "named"), [("true", "the upload"), ("false", ""), ("", "")])
def test_an_exporter_to_the_vendor_is_named_where_it_is_enabled(
    value: str, named: str, tmp_path: Path
) -> None:
    variables = {**toys(tmp_path), "TOYLIB_UPLOADS": value}
    declare(tmp_path, vendor_exporter="the upload", vendor_switches=("TOYLIB_UPLOADS",))
    assert toy_of(json.loads(doctor("--json", **variables)[1]))["own_telemetry"] == named


def test_each_key_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/doctor.md").read_text("utf-8")
    known = set(re.findall(r"`(\w+)`", page))
    parts = (
        *(Examination, Framework, OtherLibrary, EmittingScope),
        *(SettingValue, VendorTelemetryStatus, SignalStatus),
    )
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
def test_a_refused_connection_is_one_finding_for_all_signals(protocol: str) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    status, out = doctor(
        "--json", OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_PROTOCOL=protocol
    )
    assert status == 1
    assert [line for line in json.loads(out)["findings"] if endpoint in line] == [
        (
            f"{endpoint} does not accept traces, metrics or logs (connection refused); "
            "start a Collector or set OTEL_EXPORTER_OTLP_ENDPOINT"
        )
    ]


@pytest.mark.parametrize("protocol", RECEIVERS)
def test_a_refusal_has_the_receivers_message(protocol: str) -> None:
    status: Any = 403 if protocol == HTTP else grpc.StatusCode.PERMISSION_DENIED
    with RECEIVERS[protocol](refusal=Refusal(status, b"no tenant")) as receiver:
        _, out = doctor(
            "--json",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        )
    reason = "HTTP 403" if protocol == HTTP else "PERMISSION_DENIED"
    assert [line for line in json.loads(out)["findings"] if receiver.endpoint in line] == [
        (
            f"{receiver.endpoint} does not accept traces, metrics or logs ({reason}: no tenant); "
            "set OTEL_EXPORTER_OTLP_HEADERS"
        )
    ]


def test_an_endpoint_has_the_variable_that_it_is_from() -> None:
    """The signal's own, the general one, the default; an exporter's name may imply the protocol."""
    with StrictHttp(paths={"traces": "/mine"}) as own, StrictGrpc() as base:
        variables = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{own.endpoint}/mine",
            "OTEL_EXPORTER_OTLP_ENDPOINT": base.endpoint,
            "OTEL_METRICS_EXPORTER": "otlp_proto_grpc",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "none",
        }
        signals = json.loads(doctor("--json", **variables)[1])["signals"]
    assert signals == [
        {
            "name": "traces",
            "exporters": "otlp",
            "exporters_source": "default",
            "endpoint": f"{own.endpoint}/mine",
            "endpoint_source": "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "protocol": "http/protobuf",
            "compression": "none",
            "compression_source": "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "result": "accepted",
            "hint": "",
            "ok": True,
        },
        {
            "name": "metrics",
            "exporters": "otlp_proto_grpc",
            "exporters_source": "OTEL_METRICS_EXPORTER",
            "endpoint": base.endpoint,
            "endpoint_source": "OTEL_EXPORTER_OTLP_ENDPOINT",
            "protocol": "grpc",
            "compression": "gzip",
            "compression_source": "default",
            "result": "accepted",
            "hint": "",
            "ok": True,
        },
        {
            "name": "logs",
            "exporters": "none",
            "exporters_source": "OTEL_LOGS_EXPORTER",
            "endpoint": "",
            "endpoint_source": "",
            "protocol": "",
            "compression": "",
            "compression_source": "",
            "result": "not checked",
            "hint": "",
            "ok": True,
        },
    ]
    assert [it.path for it in (*own.arrived, *base.arrived)] == ["/mine", "metrics"]


def test_the_text_has_the_variable_too() -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    _, out = doctor(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=endpoint)
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if "otlp" in line}
    refused = ["connection", "refused"]
    assert rows["traces"] == [
        *("otlp", "http/protobuf", endpoint, "(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)", "gzip"),
        *refused,
    ]
    assert rows["logs"][:4] == ["otlp", "http/protobuf", "http://localhost:4318/v1/logs", "gzip"]


def test_variables_that_cannot_be_used_are_findings() -> None:
    status, out = doctor(
        "--json",
        OTEL_EXPORTER_OTLP_ENDPOINT="http://me:secret@localhost:43l7",
        OTEL_EXPORTER_OTLP_TIMEOUT="soon",
        OTEL_PROPAGATORS="b3,baggage",
        OTEL_PYTHON_ID_GENERATOR="xray",
        OTEL_SPAN_EVENT_COUNT_LIMIT="many",
        OTEL_LOGS_EXPORTER="loki",
    )
    report = json.loads(out)
    settings = {it["name"]: (it["value"], it["source"]) for it in report["settings"]}
    assert status == 1
    assert [line.partition("; ")[0] for line in report["findings"] if "OTEL_" in line][:6] == [
        "OTEL_PROPAGATORS=b3,baggage: b3 is not installed, or misspelt",
        "OTEL_PYTHON_ID_GENERATOR=xray: xray is not installed, or misspelt",
        "OTEL_SPAN_EVENT_COUNT_LIMIT=many is not a whole number",
        "OTEL_EXPORTER_OTLP_TIMEOUT=soon is not a number of seconds above 0",
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:43l7 is not an endpoint "
            "(43l7 is no port (1 to 65535)): nothing is sent there"
        ),
        "no exporter of logs is named loki (OTEL_LOGS_EXPORTER)",
    ]
    assert [it["result"] for it in report["signals"]] == ["malformed", "malformed", "not checked"]
    assert settings["OTEL_PROPAGATORS"] == ("baggage", "default")
    assert settings["OTEL_EXPORTER_OTLP_TIMEOUT"] == ("10", "default")
    assert "secret" not in out
    assert not [it for it in report["frameworks"] if "ValueError" in it["problem"]]


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
    ("toylib", "seconds", "problem"),
    [
        ("import os; os._exit(7)", "60", "its import ended the process with status 7 (no output)"),
        ("import time; time.sleep(600)", "1.5", "its import took more than 1.5 s"),
        ("raise OSError('no libfoo')", "60", "import toylib failed: OSError: no libfoo"),
    ],
)
def test_a_framework_that_cannot_be_imported_is_a_finding(
    tmp_path: Path, toylib: str, seconds: str, problem: str
) -> None:
    _, out = doctor("--json", "--timeout", seconds, **toys(tmp_path, toylib=toylib))
    assert toy_of(json.loads(out))["problem"] == problem


def test_an_instrumentor_of_several_packages_needs_one(tmp_path: Path) -> None:
    variables = toys(tmp_path)
    module = tmp_path / "toy_instrumentor.py"
    row = "        yield Patch('toylib_async:ask', start)\n"
    module.write_text(module.read_text("utf-8") + row, "utf-8")
    toy = toy_of(json.loads(doctor("--json", **variables)[1]))
    states = {row["target"]: row["state"] for row in toy["targets"]}
    assert states["toylib_async:ask"] == "absent"
    assert toy["problem"] == ""


SUBMODULES = {
    "__init__": "class Client:\n    def ask(self): ...\n    def moved(self): ...\n",
    "fine": "def ask(): ...\n",
    "optional": "import libfoo.inner\n",
    "reported": "try:\n    import libbar\nexcept ImportError as e:\n    raise ImportError('toylib[bar]') from e\n",
    "broken": "import toylib.no_such_part\n",
    "space": "try:\n    from shared import genai\nexcept ImportError as e:\n    raise ImportError('no') from e\n",
    "below": "import shared.genai.types\n",
    "unnamed": "raise ModuleNotFoundError(\"No module named 'libbaz.inner'\")\n",
    "asks": "raise ModuleNotFoundError('pip install toylib[qux]')\n",
    "moved": "from shared.inner import gone\n",
    "raises": "raise OSError('no\\nlibc')\n",
}


def test_a_submodule_that_cannot_be_imported_waits_for_nothing(tmp_path: Path) -> None:
    variables = toys(tmp_path)
    (tmp_path / "toylib.py").unlink()
    (tmp_path / "toylib").mkdir()
    inner = tmp_path / "shared/inner.py"
    inner.parent.mkdir()
    inner.touch()
    for name, text in SUBMODULES.items():
        (tmp_path / f"toylib/{name}.py").write_text(text, "utf-8")
    names = [name for name in SUBMODULES if name != "__init__"]
    rows = "".join(f"            yield Patch('toylib.{name}:ask', start)\n" for name in names)
    module = tmp_path / "toy_instrumentor.py"
    module.write_text(module.read_text("utf-8") + textwrap.indent(textwrap.dedent(rows), " " * 8))
    toy = toy_of(json.loads(doctor("--json", **variables)[1]))
    reported = {row["target"]: (row["state"], row["detail"]) for row in toy["targets"]}
    assert {name: reported[f"toylib.{name}:ask"] for name in names} == {
        "fine": ("applied", ""),
        "optional": ("absent", "needs libfoo, which is not installed"),
        "reported": ("absent", "needs libbar, which is not installed"),
        "space": ("absent", "needs shared.genai, which is not installed"),
        "below": ("absent", "needs shared.genai, which is not installed"),
        "unnamed": ("absent", "needs libbaz, which is not installed"),
        "asks": (
            "absent",
            (
                "needs a package (ModuleNotFoundError: pip install toylib[qux]), "
                "which is not installed"
            ),
        ),
        "moved": (
            "absent",
            f"ImportError: cannot import name 'gone' from 'shared.inner' ({inner})",
        ),
        "broken": ("absent", "ModuleNotFoundError: No module named 'toylib.no_such_part'"),
        "raises": ("absent", "OSError: no libc"),
    }
    assert toy["problem"] == (
        "import toylib.broken failed: ModuleNotFoundError: No module named 'toylib.no_such_part'; "
        f"import toylib.moved failed: {reported['toylib.moved:ask'][1]}; "
        "import toylib.raises failed: OSError: no libc"
    )
    assert toy["summary"] == (
        "3 of 3 applied; not installed: a package (ModuleNotFoundError: pip install toylib[qux]), "
        "libbar, libbaz, libfoo, shared.genai"
    )


def test_an_instrumentor_of_others_that_is_made_of_our_parts_is_examined_too(
    tmp_path: Path,
) -> None:
    variables = toys(tmp_path)
    info = tmp_path / "our_toys-1.0.dist-info"
    entry_points = "[opentelemetry_instrumentor]\ntoys = toy_instrumentor:Instrumentor\n"
    (info / "entry_points.txt").write_text(entry_points, "utf-8")
    metadata = info / "METADATA"
    needs = "Requires-Dist: otel-agents-instrumentors >= 0.1\n"
    assert "toys" not in {
        it["name"] for it in json.loads(doctor("--json", **variables)[1])["frameworks"]
    }
    metadata.write_text(metadata.read_text("utf-8") + needs, "utf-8")
    report = json.loads(doctor("--json", **variables)[1])
    assert about(report, "toys") == [
        "toys: not found in the installed version: toylib:Client.moved"
    ]


HOOK = "OTEL_AGENTS_REDACTION_HOOK"
COMPLETION = "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK"
NO_REDACTION = (
    "the redaction hook '{}' cannot be loaded ({}), so no content is recorded; "
    "install what provides it, correct OTEL_AGENTS_REDACTION_HOOK, or unset it"
)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("hooks:redact", None),
        ("hooks:redakt", "module hooks has no redakt"),
        ("hooks.inner:redact", "there is no module hooks.inner"),
        ("no_such_module:redact", "there is no module no_such_module"),
        (
            "redact",
            "LookupError: no entry point of that name in the group otel_agents_redaction_hook",
        ),
        ("starred:redact", None),
        ("lazy:redact", None),
    ],
)
def test_a_hook_that_cannot_be_found_is_a_finding_and_none_is_run(
    name: str, why: str | None, tmp_path: Path
) -> None:
    run = "open('it-ran', 'w').close()\n"
    (tmp_path / "hooks.py").write_text(run + "if True:\n    def redact(kind, value): ...\n")
    (tmp_path / "starred.py").write_text(run + "from hooks import *\n")
    (tmp_path / "lazy.py").write_text(run + "def __getattr__(name): ...\n")
    _, out = doctor_in(tmp_path, "--json", **{HOOK: name, DISABLED: "*"})
    found = [line for line in json.loads(out)["findings"] if "hook" in line]
    assert found == ([] if why is None else [NO_REDACTION.format(name, why)])
    assert not (tmp_path / "it-ran").exists()


def test_a_missing_completion_hook_is_a_finding_too() -> None:
    _, out = doctor("--json", **{COMPLETION: "no_such_module:make", DISABLED: "*"})
    assert [line for line in json.loads(out)["findings"] if "hook" in line] == [
        (
            "the completion hook 'no_such_module:make' cannot be loaded (there is no module "
            "no_such_module), so none is called; install what provides it, correct "
            "OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK, or unset it"
        )
    ]


def test_a_version_that_is_not_supported_is_a_finding(tmp_path: Path) -> None:
    _, out = doctor("--json", **toys(tmp_path, "3.0"))
    report = json.loads(out)
    assert toy_of(report)["runs"] == "nothing"
    assert about(report, "toylib") == [
        "toylib: the installed version is not supported (toylib >= 2, < 3)"
    ]


@pytest.mark.parametrize(
    ("prefer", "findings"),
    [
        (
            "ours",
            (
                "toylib: also instrumented by other-toylib, which is not loaded; "
                "uninstall it, or set OTEL_AGENTS_PREFER=theirs"
            ),
        ),
        ("theirs", None),
    ],
)
def test_a_conflict_is_named_and_targets_are_resolved(
    tmp_path: Path, prefer: str, findings: str | None
) -> None:
    variables = toys(tmp_path)
    points = {"toylib": "conflicting:Conflicting"}
    install(
        tmp_path,
        "other-toylib",
        instrumentors=points,
        requires=("toylib >= 1",),
        modules={"conflicting": CONFLICTING},
    )
    report = json.loads(doctor("--json", **variables, OTEL_AGENTS_PREFER=prefer)[1])
    assert (toy_of(report)["runs"], toy_of(report)["conflicts"]) == (prefer, ["other-toylib"])
    assert toy_of(report)["summary"] == "1 of 2 applied, missing toylib:Client.moved"
    assert [line for line in about(report, "toylib") if "also" in line] == [
        *filter(None, [findings])
    ]


def test_where_theirs_is_preferred_ours_of_a_native_library_runs_too(tmp_path: Path) -> None:
    variables = {**toys(tmp_path), "OTEL_AGENTS_PREFER": "theirs"}
    declare(tmp_path, is_native=True)
    install(
        tmp_path,
        "other-toylib",
        instrumentors={"toylib": "conflicting:Conflicting"},
        requires=("toylib >= 1",),
        modules={"conflicting": CONFLICTING},
    )
    report = json.loads(doctor("--json", **variables)[1])
    toy = toy_of(report)
    assert (toy["runs"], toy["also_active"]) == ("both", ["other-toylib"])
    assert toy["own_telemetry"] == "native, completed by us"
    assert [line for line in about(report, "toylib") if "also" in line] == []


def test_a_preferred_conflict_that_cannot_be_loaded_is_a_finding(tmp_path: Path) -> None:
    variables = toys(tmp_path)
    points = {"toylib": "no_such_module.inner:Conflicting"}
    install(tmp_path, "other-toylib", instrumentors=points, requires=("toylib >= 1",))
    found = [
        about(json.loads(doctor("--json", **variables, OTEL_AGENTS_PREFER=prefer)[1]), "toylib")
        for prefer in ("theirs", "ours")
    ]
    left = (
        "toylib: it is left to other-toylib (no module no_such_module.inner), which cannot be "
        "loaded; install what is missing, or unset OTEL_AGENTS_PREFER"
    )
    assert [left in lines for lines in found] == [True, False]


@pytest.mark.parametrize(("prefer", "also_active"), [("ours", ["others"]), ("theirs", [])])
def test_one_that_runs_in_addition_to_ours_is_a_finding(
    tmp_path: Path, prefer: str, also_active: list[str]
) -> None:
    """It instruments more than ours, so it is not disabled."""
    variables = toys(tmp_path)
    install(tmp_path, "otherlib")
    install(
        tmp_path,
        "others",
        instrumentors={"all": "conflicting:Conflicting"},
        requires=("toylib", "otherlib"),
        modules={"conflicting": CONFLICTING},
    )
    report = json.loads(doctor("--json", **variables, OTEL_AGENTS_PREFER=prefer)[1])
    toy = toy_of(report)
    assert (toy["runs"], toy["conflicts"], toy["also_active"]) == (prefer, ["others"], also_active)
    both = (
        "toylib: also instrumented, with more, by others, so both run; disable one by "
        "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS, or set OTEL_AGENTS_PREFER=theirs"
    )
    assert [line for line in about(report, "toylib") if "also" in line] == [both] * len(also_active)


@pytest.mark.parametrize(("disabled", "findings"), [("", 1), ("toys", 0)])
@pytest.mark.parametrize(
    "metadata",
    [
        None,
        "Metadata-Version: 2.1\n",
        "Name: a\nRequires-Dist: b; extra == 'instruments' and python_version ~= 'abc'\n",
    ],
)
def test_broken_metadata_of_others_are_a_finding(
    metadata: str | None, disabled: str, findings: int, tmp_path: Path
) -> None:
    variables = toys(tmp_path)
    install(tmp_path, "broken", instrumentors={"toys": "conflicting:Conflicting"})
    path = tmp_path / "broken-1.0.dist-info/METADATA"
    path.unlink() if metadata is None else path.write_text(metadata, "utf-8")
    report = json.loads(doctor("--json", **variables, **{DISABLED: disabled})[1])
    reported = [
        line for line in report["findings"] if line.startswith("the instrumentor toys is not")
    ]
    assert len(reported) == findings
    assert all(line.endswith(f"or set {DISABLED}=toys") for line in reported)
    assert toy_of(report)["runs"] == "ours"


def test_settings_have_a_source_and_invalid_ones_are_findings() -> None:
    status, out = doctor("--json", OTEL_AGENTS_EXIT_TIMEOUT="2", OTEL_AGENTS_PREFER="mine")
    report = json.loads(out)
    settings = {it["name"]: (it["value"], it["source"]) for it in report["settings"]}
    assert status == 1
    assert settings["OTEL_AGENTS_EXIT_TIMEOUT"] == ("2", "OTEL_AGENTS_EXIT_TIMEOUT")
    assert settings["OTEL_AGENTS_PREFER"] == ("ours", "default")
    assert settings["OTEL_AGENTS_METRICS"] == ("previous", "default")
    assert [line for line in report["findings"] if "OTEL_AGENTS_PREFER=mine" in line] == [
        "OTEL_AGENTS_PREFER=mine is invalid; ours is used instead. Accepted: ours, theirs"
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


def test_the_version_includes_python_and_the_sdk(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["--version"])
    assert error.value.code == 0
    assert capsys.readouterr().out == (
        f"otel-agents {version('otel-agents')} "
        f"(Python {python_version()}, opentelemetry-sdk {version('opentelemetry-sdk')})\n"
    )


def test_parts_of_another_version_are_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"otel-agents": "2.0", "otel-agents-instrumentors": "2.1", "otel-agents-semconv": "2.0"}
    monkeypatch.setattr("otel_agents.distro.command.versions", lambda: found)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == (
        f"otel-agents 2.0 (otel-agents-instrumentors 2.1, Python {python_version()})\n"
    )


def test_an_invalid_setting_is_a_finding_whoever_read_it_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As the search for conflicts does; the message is logged only once."""
    monkeypatch.setenv("OTEL_AGENTS_SIGNALS", "x")
    Settings.read()
    _, invalid = effective_settings(Environment(), {})
    assert invalid == [
        "OTEL_AGENTS_SIGNALS=x is invalid; true is used instead. Accepted: true, false"
    ]


def test_an_identity_that_any_caller_can_write_is_a_finding() -> None:
    names = {"OTEL_AGENTS_IDENTITY_FROM_BAGGAGE": "user.id, plan", DISABLED: "*"}
    none = dict.fromkeys(OFF, "none")
    status, text = doctor("--json", **names, **none)
    (finding,) = [it for it in json.loads(text)["findings"] if "BAGGAGE" in it]
    assert finding.startswith(
        "OTEL_AGENTS_IDENTITY_FROM_BAGGAGE takes user.id, plan from the baggage"
    )
    assert status == 1
    assert "BAGGAGE takes" not in doctor("--json", **none, **{DISABLED: "*"})[1]

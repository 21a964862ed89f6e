"""The defaults, and that every setting of the user wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from instrumented import DISABLED, START, instrumented, plain_environ, script
from otlp_receiver import Receiver

from otel_agents.distro.starting.privacy import VENDOR_TELEMETRY
from otel_agents.distro.starting.program import PROGRAM_VARIABLE, is_worker, program_name

EMIT = """
    from opentelemetry import metrics, trace
    from opentelemetry._logs import LogRecord, get_logger

    with trace.get_tracer("t").start_as_current_span("work"):
        metrics.get_meter("m").create_counter("counted").add(1)
        get_logger("l").emit(LogRecord(body="said"))
"""

WITH_MORE = (
    "ANONYMIZED_TELEMETRY",
    "AUTOGEN_DISABLE_RUNTIME_TRACING",
    "CREWAI_DISABLE_TELEMETRY",
    "LITELLM_LOCAL_MODEL_COST_MAP",
)
"""Variables that do more than disable vendor telemetry."""
INHERITED = {"PYTHONPATH"}
"""Variables that ``opentelemetry-instrument`` itself sets for child processes."""


def test_all_three_signals_arrive_by_otlp_compressed_and_named(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, EMIT, "shop.py"), {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        )
    assert (done.status, done.out, done.err) == (0, "", "")
    assert receiver.span_names == ["work"]
    assert receiver.metric_names == {"counted"}
    assert receiver.log_bodies == ["said"]
    assert [resource["service.name"] for resource in receiver.resources] == ["shop"]
    assert {headers["content-encoding"] for headers in receiver.headers} == {"gzip"}


def test_what_the_user_sets_wins(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, EMIT),
            {
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{receiver.endpoint}/v1/traces",
                "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
                "OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_SERVICE_NAME": "mine",
                "OTEL_RESOURCE_ATTRIBUTES": "team=blue",
            },
        )
    assert (done.status, done.err) == (0, "")
    assert receiver.paths == {"/v1/traces"}
    assert [(it["service.name"], it["team"]) for it in receiver.resources] == [("mine", "blue")]
    headers = receiver.headers[0]
    assert headers["authorization"] == "secret"
    assert "content-encoding" not in headers


def test_service_name_among_the_resource_attributes_wins(tmp_path: Path) -> None:
    with Receiver() as receiver:
        instrumented(
            script(tmp_path, EMIT),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_RESOURCE_ATTRIBUTES": "service.name=other",
            },
        )
    assert [resource["service.name"] for resource in receiver.resources] == ["other"]


ENVIRONMENT = """
    import json, os, threading
    print(json.dumps([dict(os.environ), hasattr(threading.Thread.start, "__wrapped__")]))
    """


def environment_seen(folder: Path, given: dict[str, str]) -> tuple[dict[str, str], bool]:
    """Return the environment that a program sees, and whether threads inherit contexts."""
    done = instrumented(script(folder, ENVIRONMENT), given)
    seen, carried = json.loads(done.out)
    del seen[DISABLED]
    return seen, carried


def test_the_environment_keeps_what_the_user_set_and_gets_no_otel_variable(tmp_path: Path) -> None:
    """Subprocesses would inherit them. Only variables that do nothing but disable vendor telemetry are set."""
    given = {
        "OTEL_TRACES_EXPORTER": "otlp,console",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "MEM0_TELEMETRY": "True",
    }
    seen, carried = environment_seen(tmp_path, given)
    quiet = {row.variable: row.off for row in VENDOR_TELEMETRY if not row.senders}
    assert {name: seen.get(name) for name in quiet} == {**quiet, "MEM0_TELEMETRY": "True"}
    assert set(quiet) & set(WITH_MORE) == set()
    assert (
        set(seen) - set(plain_environ(given))
        == set(quiet) - set(given) | {PROGRAM_VARIABLE} | INHERITED
    )
    otel = {name: value for name, value in seen.items() if name.startswith("OTEL_")}
    assert otel == {name: value for name, value in given.items() if name.startswith("OTEL_")}
    assert carried


def test_with_a_disabled_sdk_the_environment_is_the_programs_own(tmp_path: Path) -> None:
    given = {"OTEL_SDK_DISABLED": "true"}
    seen, carried = environment_seen(tmp_path, given)
    assert set(seen) - set(plain_environ(given)) == INHERITED
    assert not carried


@pytest.mark.parametrize("disabled", ["true", "false"])
def test_with_a_disabled_sdk_nothing_of_ours_is_loaded(tmp_path: Path, disabled: str) -> None:
    text = "import sys\nprint('otel_agents.instrumentors.openai' in sys.modules)"
    given = {"OTEL_SDK_DISABLED": disabled, "OTEL_TRACES_EXPORTER": "tree"}
    done = instrumented(script(tmp_path, text), given, installed=True)
    assert (done.status, done.out) == (0, f"{disabled == 'false'}\n")


def test_a_disabled_sdk_emits_and_logs_nothing(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, EMIT),
            {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_SDK_DISABLED": "true"},
        )
    assert (done.status, done.err, receiver.requests) == (0, "", [])


def test_each_invalid_value_is_reported_in_one_line(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, EMIT),
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_TRACES_EXPORTER": "otlp,jaeger",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
            },
        )
    lines = sorted(set(done.err.splitlines()))
    assert (done.status, receiver.span_names) == (0, ["work"])
    assert len(lines) == len(done.err.splitlines()) == 2
    assert lines[0].startswith(
        "otel-agents: OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json is not supported"
    )
    assert lines[1].startswith("otel-agents: no exporter of traces is named jaeger")


def test_a_second_distribution_is_reported_once(tmp_path: Path) -> None:
    info = tmp_path / "other_distro-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other-distro\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[opentelemetry_distro]\nother = nothing:Nothing\n")
    program = script(tmp_path, "from otel_agents.distro import initialize\ninitialize()")
    done = instrumented(
        program, {"OTEL_TRACES_EXPORTER": "tree", "PYTHONPATH": str(tmp_path)}, instrument=False
    )
    assert done.err.splitlines() == [
        (
            "otel-agents: another distribution is installed (other), and the first one found wins; "
            "set OTEL_PYTHON_DISTRO=otel_agents and OTEL_PYTHON_CONFIGURATOR=otel_agents, "
            "or uninstall it"
        )
    ]


def test_the_program_is_named_as_the_interpreter_was_started() -> None:
    cases = {
        "python app.py --flag": "app",
        "python -u -W ignore -X dev /srv/shop/app.py": "app",
        "python -m package.tool": "package.tool",
        "python -mpackage.tool": "package.tool",
        "python -Im package.__main__": "package",
        "python folder/__main__.py": "folder",
        "python -c pass": "python",
        "python -": "python",
        "python": "python",
        "/venv/bin/python /venv/bin/uvicorn app:app": "uvicorn",
    }
    assert {line: program_name(line.split()) for line in cases} == cases


SPAWN = "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5, pipe_handle=7)"
WORKERS = [
    ["python", "-c", SPAWN, "--multiprocessing-fork"],
    ["python", "-X", "dev", "-Ic", SPAWN.replace("multiprocessing", "billiard")],
    ["python", "-c", "from multiprocess.forkserver import main; main(3, 4, [])"],
    ["python", "-m", "joblib.externals.loky.backend.popen_loky_posix", "--process-name", "x"],
    ["python", "-u", "-c", "import sys;exec(eval(sys.stdin.readline()))"],
]


@pytest.mark.parametrize("line", WORKERS)
def test_a_worker_has_the_name_of_what_it_works_for(
    monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    monkeypatch.setenv(PROGRAM_VARIABLE, "shop")
    assert (is_worker(line), program_name(line)) == (True, "shop")
    monkeypatch.delenv(PROGRAM_VARIABLE)
    assert program_name(line) == "python"


def test_a_program_that_a_program_starts_has_its_own_name(tmp_path: Path) -> None:
    """So does code that it starts, which is not a worker."""
    script(tmp_path, EMIT, "other.py")
    program = script(
        tmp_path,
        f"""
        import subprocess, sys
        from opentelemetry import trace

        trace.get_tracer("t").start_span("work").end()
        start = [sys.executable, "-c", {START!r}, sys.executable]
        subprocess.run([*start, {str(tmp_path / "other.py")!r}], check=True)
        emit = "from opentelemetry import trace; trace.get_tracer('t').start_span('work').end()"
        subprocess.run([*start, "-c", emit], check=True)
        """,
        "shop.py",
    )
    with Receiver() as receiver:
        done = instrumented(program, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
    assert done.status == 0, done.err
    names = sorted(resource["service.name"] for resource in receiver.resources)
    assert names == ["other", "python", "shop"]

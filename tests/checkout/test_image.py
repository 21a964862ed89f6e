"""The image for the Kubernetes operator: run its Dockerfile's commands and check the result."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from instrumented import plain_environ
from otlp_receiver import Receiver
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "collector-config/kubernetes/Dockerfile"
REQUIREMENTS = ROOT / "collector-config/kubernetes/requirements.txt"
MEMBERS = ("semconv", "instrumentors", "distro")


def run(*command: object, cwd: Path, environ: dict[str, str]) -> str:
    parts = [str(part) for part in command]
    done = subprocess.run(
        parts, cwd=cwd, env=plain_environ(environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the folder that the operator copies into a container."""
    root = tmp_path_factory.mktemp("image")
    for name in (*MEMBERS, "collector-config"):
        shutil.copytree(ROOT / name, root / "checkout" / name)
    run(sys.executable, "-m", "venv", root / "venv", cwd=root, environ={})
    for line in re.findall(r"^RUN pip (.*)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE):
        arguments = shlex.split(re.sub(r"(?<= )/(?=\w)", f"{root}/", line))
        pip = (root / "venv/bin/python", "-m", "pip", "--disable-pip-version-check")
        run(*pip, *arguments, cwd=root / "checkout", environ={})
    return root / "autoinstrumentation"


def test_it_holds_pure_python_alone(image: Path) -> None:
    assert [path for path in image.rglob("*") if path.suffix in {".so", ".pyd", ".dylib"}] == []
    assert not (image / "grpc").exists()
    tags = {
        line
        for wheel in image.glob("*.dist-info/WHEEL")
        for line in wheel.read_text("utf-8").splitlines()
        if line.startswith("Tag: ")
    }
    assert {tag.rpartition("-")[2] for tag in tags} == {"any"}


def test_an_application_without_opentelemetry_is_instrumented_by_it(
    image: Path, tmp_path: Path
) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path, environ={})
    code = "import sys; from opentelemetry import trace; trace.get_tracer('app').start_span('work').end()"
    ours = "assert 'otel_agents.distro.starting.distribution' in sys.modules"
    with Receiver() as receiver:
        starter = image / "opentelemetry/instrumentation/auto_instrumentation"
        environ = {  # as the operator sets them
            "PYTHONPATH": f"{starter}:{image}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_PYTHON_DISTRO": "otel_agents",
        }
        run(tmp_path / "venv/bin/python", "-c", f"{code}; {ours}", cwd=tmp_path, environ=environ)
        (resource,) = receiver.resources
    assert receiver.span_names == ["work"]
    assert "telemetry.auto.version" in resource


def test_it_is_made_of_what_the_members_need_without_grpc() -> None:
    def listed(text: str) -> set[Requirement]:
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        return {Requirement(line) for line in lines if line}

    needed = {
        Requirement(found)
        for member in MEMBERS
        for block in re.findall(
            r"^dependencies = \[\n(.*?)^\]",
            (ROOT / member / "pyproject.toml").read_text("utf-8"),
            re.MULTILINE | re.DOTALL,
        )
        for found in re.findall(r'"([^"]+)"', block)
    }
    outside = {one for one in needed if not one.name.startswith("otel-agents")}
    swapped = {
        Requirement(str(one).replace("exporter-otlp", "exporter-otlp-proto-http"))
        for one in outside
        if one.name != "opentelemetry-api"  # the SDK brings it
    }
    assert listed(REQUIREMENTS.read_text("utf-8")) == swapped

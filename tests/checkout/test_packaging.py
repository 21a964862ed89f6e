"""The checkout installs in each documented way, from a clean copy of its files.

These tests alone need a package index, as a user who installs does.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import distributions
import pytest
from instrumented import plain_environ
from otlp_receiver import free_port

ROOT = Path(__file__).parents[2]
PROCESS = {
    "semconv": "otel-agents-semconv",
    "instrumentors": "otel-agents-instrumentors",
    "distro": "otel-agents",
}
"""The parts that a process needs, and their distributions."""
PARTS = {**{part: part for part in PROCESS}, "testing": "tests/kit"}
"""The folder of each part."""
SERVERS = {"http.server", "socketserver", "wsgiref", "xmlrpc.server"}
SERVING = {"bind_socket", "create_server", "listen", "serve_forever", "start_server"}
ENVIRON = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}


def run(*command: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=ENVIRON,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def uv(*arguments: object, cwd: Path) -> str:
    return run(sys.executable, "-m", "uv", *arguments, cwd=cwd)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the files of the repository into a folder."""
    target = tmp_path_factory.mktemp("clone") / "otel-agents"
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """Create an environment with only pip; return its interpreter."""
    uv("venv", "--seed", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    return tmp_path / "venv/bin/python"


def servers(source: bytes) -> list[str]:
    """Return server modules and listening calls in a module's source."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= SERVERS.intersection(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
            found |= SERVERS & names
        elif isinstance(node, ast.Attribute):
            found |= SERVING & {node.attr}
    return sorted(found)


def pip_install(python: Path, *what: object, cwd: Path) -> None:
    """Install with pip, as a user does."""
    run(python, "-m", "pip", "install", "--quiet", *what, cwd=cwd)


def installed(python: Path, cwd: Path) -> set[str]:
    listed = uv("pip", "list", "--format", "freeze", "--python", python, cwd=cwd)
    return {line.partition("==")[0].partition(" @")[0] for line in listed.splitlines()}


def test_all_parts_are_of_the_version_of_the_checkout() -> None:
    expected = {distributions.version()}
    assert set(map(frozenset, distributions.versions().values())) == {frozenset(expected)}


def test_a_new_version_is_set_everywhere_by_one_command(clone: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(clone, tmp_path / "copy")
    release = ("tests/environments/distributions.py", "version")
    run(sys.executable, *release, "9.8.7", cwd=copy)
    for path in ("", "semconv", "instrumentors", "distro", "tests/kit"):
        text = (copy / path / "pyproject.toml").read_text("utf-8")
        assert '"9.8.7"' in text
        assert "0.1.0" not in text
    refused = subprocess.run(
        [sys.executable, *release, "next"], cwd=copy, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr == "failed: 'next' is no version such as 0.2.0 or 1.0.0rc1\n"


@pytest.fixture(scope="module")
def wheels(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build the wheel of each part."""
    found: dict[str, Path] = {}
    for part, folder in PARTS.items():
        target = tmp_path_factory.mktemp(part)
        uv("build", "--wheel", "--quiet", "--out-dir", target, clone / folder, cwd=clone)
        (found[part],) = target.glob("*.whl")
    return found


def demo(python: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run ``otel-agents demo`` without an OTLP receiver."""
    environ = plain_environ({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"})
    command = [python.parent / "otel-agents", "demo"]
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=60
    )


def test_pip_install_of_the_checkout_brings_what_a_process_needs(clone: Path, python: Path) -> None:
    pip_install(python, ".", cwd=clone)
    names = {name for name in installed(python, clone) if name.startswith("otel-agents")}
    assert names == {"otel-agents-checkout", *PROCESS.values()}
    run(python, "-m", "pip", "check", cwd=clone)
    run(python, "-c", "import otel_agents.distro.starting.distribution", cwd=clone.parent)
    done = demo(python, clone.parent)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The demo needs a local scripted model, and crewai or openai. "
        'Run: pip install "otel-agents[demo]"\n'
    )


def test_with_its_extra_the_checkout_runs_the_demo(clone: Path, python: Path) -> None:
    pip_install(python, ".[demo]", cwd=clone)
    run(python, "-m", "pip", "check", cwd=clone)
    done = demo(python, clone.parent)
    assert (done.returncode, "invoke_agent travel-planner" in done.stderr) == (0, True), done.stderr


def test_the_instrumentors_alone_bring_no_sdk(clone: Path, python: Path) -> None:
    pip_install(python, "./semconv", "./instrumentors", cwd=clone)
    names = installed(python, clone)
    assert "otel-agents-instrumentors" in names
    assert not {"opentelemetry-sdk", "otel-agents"} & names
    code = "from otel_agents.instrumentors.openai import OpenAIInstrumentor as I; I().instrument()"
    run(python, "-c", code, cwd=clone.parent)


def test_the_kit_brings_no_distro_and_no_pytest(clone: Path, python: Path) -> None:
    pip_install(python, "./semconv", "./instrumentors", "./tests/kit", cwd=clone)
    assert not {"otel-agents", "pytest"} & installed(python, clone)
    modules = "conformance, emission, instrumentation, scripted_model"
    run(python, "-c", f"from otel_agents.testing import {modules}", cwd=clone.parent)


def test_uv_sync_installs_the_workspace(clone: Path) -> None:
    uv("sync", "--quiet", "--python", sys.executable, cwd=clone)
    run(clone / ".venv/bin/python", "-m", "pytest", "-q", "tests/semconv", cwd=clone)


def test_wheels_work_in_an_empty_environment(
    wheels: dict[str, Path], python: Path, tmp_path: Path
) -> None:
    pip_install(python, *(wheels[part] for part in PROCESS), cwd=tmp_path)
    run(python.parent / "opentelemetry-instrument", python, "-c", "pass", cwd=tmp_path)
    run(python.parent / "otel-agents", "--help", cwd=tmp_path)
    extra = f"otel-agents[demo] @ {wheels['distro'].as_uri()}"
    pip_install(python, extra, wheels["testing"], cwd=tmp_path)
    done = demo(python, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_wheel_is_checked_before_a_release(wheels: dict[str, Path], tmp_path: Path) -> None:
    for wheel in wheels.values():
        distributions.check(wheel, distributions.version())
    with pytest.raises(distributions.UnreleasableError, match=r"is of version .*, not 9\.8\.7"):
        distributions.check(wheels["semconv"], "9.8.7")
    wheel = tmp_path / wheels["semconv"].name
    with zipfile.ZipFile(wheels["semconv"]) as whole, zipfile.ZipFile(wheel, "w") as copy:
        for name in whole.namelist():
            if not name.endswith("py.typed"):
                copy.writestr(name, whole.read(name))
    with pytest.raises(distributions.UnreleasableError, match=r"has no .*semconv/py\.typed"):
        distributions.check(wheel, distributions.version())
    shutil.copy(wheels["semconv"], wheel)
    with zipfile.ZipFile(wheel, "a") as copy:
        copy.writestr("otel_agents/distro/other.py", "")
    with pytest.raises(distributions.UnreleasableError, match=r"holds otel_agents/distro/other"):
        distributions.check(wheel, distributions.version())


@pytest.mark.parametrize("part", PROCESS)
def test_what_a_process_needs_holds_no_server(part: str, wheels: dict[str, Path]) -> None:
    """The scripted model belongs to the kit. The doctor, a process of its own, receives spans."""
    archive = zipfile.ZipFile(wheels[part])
    found = {name: servers(archive.read(name)) for name in archive.namelist() if name[-3:] == ".py"}
    assert len(found) > 1
    serving = {name for name, calls in found.items() if calls}
    assert serving == ({"otel_agents/distro/doctor/program.py"} if part == "distro" else set())
    metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    needed = re.findall(r"(?m)^Requires-Dist: (.*testing.*)$", archive.read(metadata).decode())
    assert needed == (["otel-agents-testing==0.1.0; extra == 'demo'"] if part == "distro" else [])


def test_the_scripted_model_is_known_as_a_server(wheels: dict[str, Path]) -> None:
    """The test above depends on it."""
    name = "otel_agents/testing/scripted_model/server.py"
    assert servers(zipfile.ZipFile(wheels["testing"]).read(name)) == ["http.server"]

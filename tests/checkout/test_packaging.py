"""The checkout installs in each way that it promises, from a clean clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = ("semconv", "instrumentors", "distro")
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
    """The files of the repository as they are now, in a folder of their own."""
    target = tmp_path_factory.mktemp("clone") / "otel-agents"
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The interpreter of an empty environment."""
    uv("venv", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    return tmp_path / "venv/bin/python"


def installed(python: Path, cwd: Path) -> set[str]:
    listed = uv("pip", "list", "--format", "freeze", "--python", python, cwd=cwd)
    return {line.partition("==")[0].partition(" @")[0] for line in listed.splitlines()}


def test_pip_install_of_the_checkout_brings_all_three(clone: Path, python: Path) -> None:
    uv("pip", "install", "--python", python, ".", cwd=clone)
    names = installed(python, clone)
    assert {"otel-agents", "otel-agents-instrumentors", "otel-agents-semconv"} <= names


def test_the_instrumentors_alone_bring_no_sdk(clone: Path, python: Path) -> None:
    uv("pip", "install", "--python", python, "./semconv", "./instrumentors", cwd=clone)
    names = installed(python, clone)
    assert "otel-agents-instrumentors" in names
    assert not {"opentelemetry-sdk", "otel-agents"} & names
    code = "from otel_agents.instrumentors.openai import OpenAIInstrumentor as I; I().instrument()"
    run(python, "-c", code, cwd=clone.parent)


def test_uv_sync_installs_the_workspace(clone: Path) -> None:
    uv("sync", "--quiet", "--no-dev", "--python", sys.executable, cwd=clone)
    run(clone / ".venv/bin/python", "-c", "import otel_agents.distro", cwd=clone.parent)


def test_wheels_of_the_members_work_in_an_empty_environment(
    clone: Path, python: Path, tmp_path: Path
) -> None:
    for member in MEMBERS:
        uv("build", "--wheel", "--quiet", "--out-dir", tmp_path / "dist", clone / member, cwd=clone)
    wheels = sorted((tmp_path / "dist").glob("*.whl"))
    assert len(wheels) == len(MEMBERS)
    uv("pip", "install", "--python", python, *wheels, cwd=tmp_path)
    command = python.parent / "opentelemetry-instrument"
    run(command, "--traces_exporter", "none", python, "-c", "pass", cwd=tmp_path)
    run(python.parent / "otel-agents", "--help", cwd=tmp_path)

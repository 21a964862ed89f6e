"""The checkout installs in each way that it promises, from a clean copy of its files.

These tests alone need a package index, as a user who installs does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
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
    """The interpreter of an environment that holds pip and nothing else."""
    uv("venv", "--seed", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    return tmp_path / "venv/bin/python"


def pip_install(python: Path, *what: object, cwd: Path) -> None:
    """Install as a user does, by pip itself."""
    run(python, "-m", "pip", "install", "--quiet", *what, cwd=cwd)


def installed(python: Path, cwd: Path) -> set[str]:
    listed = uv("pip", "list", "--format", "freeze", "--python", python, cwd=cwd)
    return {line.partition("==")[0].partition(" @")[0] for line in listed.splitlines()}


def test_pip_install_of_the_checkout_brings_all_three(clone: Path, python: Path) -> None:
    pip_install(python, ".", cwd=clone)
    names = installed(python, clone)
    assert {"otel-agents", "otel-agents-instrumentors", "otel-agents-semconv"} <= names
    run(python, "-m", "pip", "check", cwd=clone)
    run(python, "-c", "import otel_agents.distro.starting.distribution", cwd=clone.parent)


def test_the_instrumentors_alone_bring_no_sdk(clone: Path, python: Path) -> None:
    pip_install(python, "./semconv", "./instrumentors", cwd=clone)
    names = installed(python, clone)
    assert "otel-agents-instrumentors" in names
    assert not {"opentelemetry-sdk", "otel-agents"} & names
    code = "from otel_agents.instrumentors.openai import OpenAIInstrumentor as I; I().instrument()"
    run(python, "-c", code, cwd=clone.parent)


def test_uv_sync_installs_the_workspace(clone: Path) -> None:
    uv("sync", "--quiet", "--python", sys.executable, cwd=clone)
    run(clone / ".venv/bin/python", "-m", "pytest", "-q", "tests/semconv", cwd=clone)


def test_wheels_of_the_members_work_in_an_empty_environment(
    clone: Path, python: Path, tmp_path: Path
) -> None:
    for member in MEMBERS:
        uv("build", "--wheel", "--quiet", "--out-dir", tmp_path / "dist", clone / member, cwd=clone)
    wheels = sorted((tmp_path / "dist").glob("*.whl"))
    assert len(wheels) == len(MEMBERS)
    pip_install(python, *wheels, cwd=tmp_path)
    run(python.parent / "opentelemetry-instrument", python, "-c", "pass", cwd=tmp_path)
    run(python.parent / "otel-agents", "--help", cwd=tmp_path)


@pytest.mark.parametrize("member", MEMBERS)
def test_a_wheel_is_typed_and_holds_its_part_alone(
    clone: Path, member: str, tmp_path: Path
) -> None:
    uv("build", "--wheel", "--quiet", "--out-dir", tmp_path, clone / member, cwd=clone)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert f"otel_agents/{member}/py.typed" in names
    others = [name for name in names if not name.startswith(f"otel_agents/{member}/")]
    assert all(".dist-info/" in name for name in others), others

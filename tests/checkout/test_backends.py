"""The backends of the pipeline tests are pinned in one file; missing ones are reported."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from backends.manifest import MANIFEST, VERSIONS, written
from backends.obtain import COMPONENTS

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests/backends/obtain.py"


def obtain(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script without any program on PATH."""
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        env={"PATH": str(cache), "HOME": str(cache), "OTEL_AGENTS_CACHE": str(cache / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_manifest_is_that_of_the_versions() -> None:
    manifest = MANIFEST.read_text("utf-8")
    assert written(manifest, VERSIONS["collector"]) == manifest


def test_a_newer_set_is_one_edit() -> None:
    manifest = MANIFEST.read_text("utf-8")
    newer: dict[str, Any] = {"version": "0.999.0", "stable": "1.999.0", "exceptions": {}}
    assert set(re.findall(r"v?(\d+\.\d+\.\d+)$", written(manifest, newer), re.MULTILINE)) == {
        "0.999.0",
        "1.999.0",
    }


def test_every_exception_is_of_a_component_in_the_manifest() -> None:
    manifest = MANIFEST.read_text("utf-8")
    for ending, version in VERSIONS["collector"]["exceptions"].items():
        assert f"/{ending} v{version}\n" in manifest


def test_mlflow_is_the_one_of_the_versions() -> None:
    requirements = (ROOT / "tests/environments/backends.in").read_text("utf-8")
    assert re.findall(r"^mlflow == (\S+)", requirements, re.MULTILINE) == [VERSIONS["mlflow"]]


def test_each_missing_component_is_reported_in_one_line(tmp_path: Path) -> None:
    done = obtain(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "failed: Collector is obtained with go, which is not there: install Go 1.26 or newer",
        "failed: Zipkin is obtained with java, which is not there: install a Java runtime, 17 or newer",
        "failed: Jaeger is obtained with go, which is not there: install Go 1.26 or newer",
    ]
    assert not (tmp_path / "cache").exists()


def test_the_path_of_a_collector_that_was_not_obtained_is_an_error(tmp_path: Path) -> None:
    done = obtain(tmp_path, "collector-path")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "failed: the Collector was not obtained: make backends\n"


def test_what_is_there_is_not_obtained_again(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for component in COMPONENTS:
        (cache / component.key).mkdir(parents=True)
        (cache / component.key / component.file).write_text("")
    done = obtain(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    paths = [str(cache / component.key / component.file) for component in COMPONENTS]
    assert [line.split()[-1] for line in done.stdout.splitlines()] == paths
    done = obtain(tmp_path, "collector-path")
    assert (done.returncode, done.stdout) == (0, f"{paths[0]}\n")


@pytest.mark.parametrize("ci", ["true", ""])
def test_without_the_components_the_suite_leaves_their_tests_out_but_not_in_ci(
    tmp_path: Path, ci: str
) -> None:
    suite = ROOT / "tests/environments/suite.py"
    command = [
        sys.executable,
        str(suite),
        "--directory",
        str(tmp_path),
        "test",
        "--only",
        "backends",
    ]
    variables = {"PATH": str(tmp_path), "OTEL_AGENTS_CACHE": str(tmp_path), "CI": ci}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    names = "Collector, Zipkin, Jaeger not obtained"
    if ci:
        assert done.returncode == 1
        assert done.stderr.endswith(f"\nfailed: environment backends: {names}: make backends\n")
    else:
        assert done.returncode == 0
        assert done.stdout == f"environment backends: {names}: left out; make backends\n"


def test_two_at_once_obtain_a_thing_once(tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text(GO, "utf-8")
    go.chmod(0o755)
    (tmp_path / "works").touch()
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(obtain, (tmp_path, tmp_path)))
    assert sum(done.stderr.count("Jaeger: obtaining") for done in both) == 1
    assert [done.stdout.count("Jaeger ") for done in both] == [1, 1]


GO = """\
#!/bin/sh
[ -e "$HOME/works" ] || { echo "no such module" >&2; exit 3; }
case "$1" in
  mod) echo "{\\"Dir\\": \\"$HOME\\"}" ;;
  install) : > "$GOBIN/builder" ;;
  build) : > "$4" ;;
esac
"""
"""A fake Go that fails until the home folder has the file `works`."""


def test_a_failure_is_reported_leaves_nothing_behind_and_is_retried_the_next_time(
    tmp_path: Path,
) -> None:
    go = tmp_path / "go"
    go.write_text(GO, "utf-8")
    go.chmod(0o755)
    jaeger = next(component for component in COMPONENTS if component.name == "Jaeger")
    done = obtain(tmp_path)
    assert done.returncode == 1
    assert "failed: go mod download -json github.com/jaegertracing/jaeger@v" in done.stderr
    assert "exit status 3\n    no such module\n" in done.stderr
    assert list((tmp_path / "cache").iterdir()) == []
    (tmp_path / "works").touch()
    done = obtain(tmp_path)
    assert f"{jaeger.name:10} {tmp_path / 'cache' / jaeger.key / jaeger.file}\n" in done.stdout
    assert {path.name for path in (tmp_path / "cache").iterdir() if "jaeger" in path.name} == {
        jaeger.key
    }

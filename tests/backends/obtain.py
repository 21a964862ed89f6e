"""Obtains the real programs that the pipeline's tests run: the Collector, Jaeger and Zipkin.

Standard library only. They come through Go's and Maven's ordinary clients, and are kept in a cache
outside the checkout: ``$OTEL_AGENTS_CACHE``, by default ``otel-agents`` in the user's cache folder.
What is there is not obtained again; what was interrupted goes on where the clients' own caches are.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:
    fcntl = None

CONFIG = Path(__file__).parents[2] / "collector-config"
MANIFEST = CONFIG / "otelcol-builder.yaml"
VERSIONS: dict[str, Any] = json.loads((CONFIG / "versions.json").read_text("utf-8"))


class Failed(Exception):
    """A component could not be obtained; the message says which and what to do."""


@dataclass(frozen=True)
class Component:
    """One program.

    Attributes:
        name: What it is called.
        key: Names its folder in the cache: all that the program depends on.
        file: The program in that folder.
        tools: The commands that obtaining takes.
        obtain: Puts the file into the folder that it is given.
    """

    name: str
    key: str
    file: str
    tools: tuple[str, ...]
    obtain: Callable[[Path], None]

    @property
    def path(self) -> Path:
        return cache() / self.key / self.file


_TOOLS: Mapping[str, str] = {
    "go": "install Go 1.26 or newer",
    "java": "install a Java runtime, 17 or newer",
    "mvn": "install Maven 3.8 or newer",
}


def cache() -> Path:
    """Return the folder of the components."""
    given = os.environ.get("OTEL_AGENTS_CACHE")
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given or Path(user) / "otel-agents").absolute()


def _run(*command: str | Path, folder: Path, **environ: str) -> str:
    """Run a step; return its standard output."""
    parts = [str(part) for part in command]
    try:
        done = subprocess.run(
            parts,
            cwd=folder,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise Failed(f"{parts[0]}: {error}") from None
    if done.returncode:
        lines = f"{done.stdout}{done.stderr}".strip().splitlines()[-15:]
        output = "\n    ".join(lines)
        raise Failed(f"{' '.join(parts)}: exit status {done.returncode}\n    {output}")
    return done.stdout


def _builder(folder: Path) -> None:
    module = "go.opentelemetry.io/collector/cmd/builder"
    version = VERSIONS["collector"]["version"]
    _run("go", "install", f"{module}@v{version}", folder=folder, GOBIN=str(folder))


def _collector(folder: Path) -> None:
    _obtain(BUILDER)
    options = ("--skip-strict-versioning", "--config", MANIFEST)
    _run(BUILDER.path, *options, folder=folder, CGO_ENABLED="0")
    built = folder / "otelcol-agents"
    (built / "otelcol-agents").rename(folder / COLLECTOR.file)
    shutil.rmtree(built)


def _jaeger(folder: Path) -> None:
    # Built in the module's own folder, whose go.mod and go.sum it needs.
    module = f"github.com/jaegertracing/jaeger@v{VERSIONS['jaeger']['module']}"
    found: dict[str, str] = json.loads(
        _run("go", "mod", "download", "-json", module, folder=folder)
    )
    command = ("go", "build", "-mod=readonly", "-o", folder / "jaeger", "./cmd/jaeger")
    _run(*command, folder=Path(found["Dir"]), CGO_ENABLED="0")


def _zipkin(folder: Path) -> None:
    version = VERSIONS["zipkin"]
    artifact = f"io.zipkin:zipkin-server:{version}:jar:exec"
    options = ("--batch-mode", f"-Dartifact={artifact}")
    _run("mvn", *options, "-Dtransitive=false", "dependency:get", folder=folder)
    _run("mvn", *options, f"-DoutputDirectory={folder}", "dependency:copy", folder=folder)
    (folder / f"zipkin-server-{version}-exec.jar").rename(folder / "zipkin.jar")


def _digest() -> str:
    """Return a digest of the Collector's sources, without comments."""
    lines = MANIFEST.read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


_SET = VERSIONS["collector"]["version"]
BUILDER = Component("Collector builder", f"builder-{_SET}", "builder", ("go",), _builder)
COLLECTOR = Component(
    *("Collector", f"collector-{_SET}-{_digest()}", "otelcol"), ("go",), _collector
)
JAEGER = Component("Jaeger", f"jaeger-{VERSIONS['jaeger']['is']}", "jaeger", ("go",), _jaeger)
ZIPKIN = Component(
    *("Zipkin", f"zipkin-{VERSIONS['zipkin']}", "zipkin.jar"), ("java", "mvn"), _zipkin
)
COMPONENTS = (COLLECTOR, ZIPKIN, JAEGER)


def missing() -> list[str]:
    """Return the names of components that were not obtained or cannot run."""
    return [
        component.name
        for component in COMPONENTS
        if not component.path.exists() or (component is ZIPKIN and not shutil.which("java"))
    ]


def keep(component: Component) -> None:
    """Obtain a component that is not there; wait for another process that obtains one.

    Raises:
        Failed: It could not be obtained.
    """
    if component.path.exists():
        return
    for tool in component.tools:
        if shutil.which(tool) is None:
            raise Failed(
                f"{component.name} is obtained with {tool}, which is not there: {_TOOLS[tool]}"
            )
    with _alone():
        _obtain(component)


@contextmanager
def _alone() -> Generator[None]:
    if fcntl is None:  # on Windows
        yield
        return
    cache().parent.mkdir(parents=True, exist_ok=True)
    with cache().with_name(f"{cache().name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _obtain(component: Component) -> None:
    """Build in a temporary folder, so that an existing component is complete."""
    if component.path.exists():
        return
    print(f"{component.name}: obtaining {component.key}", file=sys.stderr, flush=True)
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{component.key}.part-", dir=cache()) as folder:
        component.obtain(Path(folder))
        component.path.parent.mkdir(exist_ok=True)
        (Path(folder) / component.file).replace(component.path)


def _all() -> int:
    """Obtain everything, even if one fails; return the exit status."""
    status = 0
    for component in COMPONENTS:
        try:
            keep(component)
        except Failed as failed:
            status = 1
            print(f"failed: {failed}", file=sys.stderr)
        else:
            print(f"{component.name:10} {component.path}", flush=True)
    return status


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(description="Obtains what the pipeline's tests run.")
    parser.add_argument("command", choices=["all", "collector-path", "missing"], nargs="?")
    command = parser.parse_args().command
    if command == "missing":
        print(", ".join(missing()))
        return 0
    if command == "collector-path":
        if not COLLECTOR.path.exists():
            print("failed: the Collector was not obtained: make backends", file=sys.stderr)
            return 1
        print(COLLECTOR.path)
        return 0
    if hasattr(os, "nice"):
        os.nice(5)  # more, and a busy machine would not be at its end before all else is
    return _all()


if __name__ == "__main__":
    sys.exit(main())

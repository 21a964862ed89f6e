"""The programs of `examples/native`, run under the command."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from instrumented import running as started
from otlp_receiver import Receiver
from packaging.version import Version

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["CANARY", "INSTALLED", "SEVERAL_TRACES", "SPANS", "operations", "ours", "run", "running"]

CANARY = "canary-7c1f"
_EXAMPLES = Path(__file__).parents[1] / "examples/native"
_LIBRARIES = {
    "agent_framework": "agent_framework",
    "google_adk": "google.adk",
    "pydantic_ai": "pydantic_ai",
    "strands": "strands",
}


class Finished(NamedTuple):
    """A program that ended."""

    out: str
    err: str
    status: int


def _has(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


INSTALLED = [library for library, module in _LIBRARIES.items() if _has(module)]
_BY_ARGUMENT = "pydantic_ai" in INSTALLED and Version(version("pydantic-ai-slim")) < Version(
    "0.0.34"
)
_IN_FIRST_VERSIONS = {
    ', system_prompt="': ', instrument=True, system_prompt="',
    ").output": ").data",
}
"""Pydantic AI then records an agent that has an argument for it, and nothing but its model calls."""

SPANS: Mapping[str, Mapping[str, int]] = {
    library: {
        "generate_content" if library == "google_adk" else "chat": 2,
        **({} if _BY_ARGUMENT else {"execute_tool": 1, "invoke_agent": 1}),
    }
    for library in INSTALLED
}
"""The number of spans by operation, of the libraries that are installed."""

SEVERAL_TRACES = "strands" in INSTALLED and Version(version("strands-agents")) < Version("1.1")
"""Whether what is not sampled has no parent, so that a part of it can be sampled: Strands 1.0."""


def run(library: str, model: ScriptedModel, receiver: Receiver, **variables: str) -> Finished:
    """Run a library's program to its end."""
    with running(library, model, receiver, **variables) as process:
        out, err = process.communicate(timeout=240)  # ADK takes long to import
    return Finished(out, err, process.returncode)


@contextmanager
def running(
    library: str, model: ScriptedModel, receiver: Receiver, **variables: str
) -> Generator[subprocess.Popen[str], None, None]:
    """Start a library's program, and kill it at the end of the block."""
    program = _EXAMPLES / f"{library}_weather.py"
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OPENAI_BASE_URL": model.openai_url,
        "OPENAI_API_KEY": "none",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "ENABLE_INSTRUMENTATION": "true",  # Agent Framework's, off by default at first
        **variables,
    }
    with tempfile.TemporaryDirectory() as folder:
        if _BY_ARGUMENT:
            program = _in_first_versions(program, Path(folder))
        arguments = ["How", "is", CANARY]
        with started(program, environment, installed=True, arguments=arguments) as process:
            yield process


def _in_first_versions(program: Path, folder: Path) -> Path:
    text = program.read_text("utf-8")
    for now, then in _IN_FIRST_VERSIONS.items():
        assert now in text
        text = text.replace(now, then)
    changed = folder / program.name
    changed.write_text(text, "utf-8")
    return changed


def operations(receiver: Receiver) -> Iterator[tuple[str, Any]]:
    """Yield each span with an operation."""
    for span in receiver.spans:
        for pair in span.attributes:
            if pair.key == "gen_ai.operation.name":
                yield pair.value.string_value, span


def ours(err: str) -> list[str]:
    """Return the lines that are ours, except for conflicts with what is installed besides."""
    lines = (line for line in err.splitlines() if "otel-agents" in line or "otel_agents" in line)
    return [line for line in lines if " is not loaded; set OTEL_AGENTS_PREFER=theirs " not in line]

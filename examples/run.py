"""Runs the example as `make demo` does: no key, no network, the trace drawn as a tree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from otel_agents.distro.demo.script import SCRIPT
from otel_agents.distro.environment import Environment
from otel_agents.distro.export.otlp import refused
from otel_agents.distro.scripted_model import ScriptedModel

PROGRAM = Path("examples") / "travel_planner.py"
COMMAND = Path(sys.executable).with_name("opentelemetry-instrument")


def exporters(endpoint: str) -> dict[str, str]:
    """The tree always, and OTLP where somebody listens."""
    if refused(endpoint):
        return {"OTEL_TRACES_EXPORTER": "tree"}
    others = {"OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp"}
    return {"OTEL_TRACES_EXPORTER": "tree,otlp", **others}


def main() -> int:
    """Run it; the status to exit with."""
    endpoint = Environment().signal("traces").endpoint.value
    print(f"$ opentelemetry-instrument python {PROGRAM.as_posix()}", flush=True)
    with ScriptedModel() as model:
        model.script(*SCRIPT)
        client = {"OPENAI_BASE_URL": model.openai_url, "OPENAI_API_KEY": "none"}
        done = subprocess.run(
            [COMMAND, sys.executable, PROGRAM],
            cwd=Path(__file__).parents[1],
            env={**os.environ, **client, **exporters(endpoint)},
            check=False,
        )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

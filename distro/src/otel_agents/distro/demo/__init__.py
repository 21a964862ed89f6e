"""The demo: an agent against the scripted model, its trace drawn in the terminal.

The program runs in a process of its own, started as ``opentelemetry-instrument`` starts one, with
variables that are set for it alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from otel_agents.distro.demo.script import SCRIPT
from otel_agents.distro.environment import Environment
from otel_agents.distro.export.otlp import refused
from otel_agents.distro.scripted_model import ScriptedModel

__all__ = ["PROGRAMS", "run"]

PROGRAMS: Final = {"openai": "travel_planner.py"}
"""The programs by the module that each needs; the first one that is installed runs."""

_START: Final = "from opentelemetry.instrumentation.auto_instrumentation import run; run()"
_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def run() -> int:
    """Run the demo; the status to exit with."""
    needed = next((name for name in PROGRAMS if find_spec(name) is not None), None)
    if needed is None:
        _write(f"The demo needs one of: {', '.join(PROGRAMS)}. Run: pip install openai")
        return 1
    program = str(Path(__file__).parent / PROGRAMS[needed])
    environment = Environment()
    endpoint = environment.signal("traces").endpoint.value
    listening = not refused(endpoint)
    with ScriptedModel() as model:
        model.script(*SCRIPT)
        variables = {**_exporters(listening), **_client(model)}
        command = [sys.executable, "-c", _START, sys.executable, program]
        done = subprocess.run(command, env={**os.environ, **variables}, check=False)
    if done.returncode == 0:
        _write(f"The same trace was sent to {endpoint}." if listening else _NOT_SENT)
        if environment.text(_CAPTURE) is None:
            _write(f"Prompts and answers stay in the process unless {_CAPTURE}=SPAN_ONLY.")
    return done.returncode


_NOT_SENT: Final = (
    "Nobody listens for OTLP, so the trace was only drawn. To send it: start a Collector, "
    "or set OTEL_EXPORTER_OTLP_ENDPOINT."
)


def _exporters(listening: bool) -> dict[str, str]:
    others = "otlp" if listening else "none"
    return {
        "OTEL_TRACES_EXPORTER": "tree,otlp" if listening else "tree",
        "OTEL_METRICS_EXPORTER": others,
        "OTEL_LOGS_EXPORTER": others,
        "OTEL_PYTHON_DISTRO": "otel_agents",
        "OTEL_PYTHON_CONFIGURATOR": "otel_agents",
    }


def _client(model: ScriptedModel) -> dict[str, str]:
    return {"OPENAI_BASE_URL": model.openai_url, "OPENAI_API_KEY": "none"}


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

"""The programs of the demo. One runs in a subprocess, against the scripted model.

It starts as by ``opentelemetry-instrument``, with its own environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

from otel_agents.distro.addresses import redacted
from otel_agents.distro.demo.scripts import TRIP, crew_reaction
from otel_agents.distro.discovery import INSTRUMENTED
from otel_agents.distro.environment import Environment
from otel_agents.distro.otlp.probe import connection_refused
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["PROGRAMS", "Program", "client", "run"]

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True)
class Program:
    """A program of the demo; ``prepare`` scripts the model."""

    path: Path
    prepare: Callable[[ScriptedModel], None]


PROGRAMS: Final = MappingProxyType(
    {
        "crewai": Program(_HERE / "trip_crew.py", lambda model: model.script_by(crew_reaction)),
        "openai": Program(_HERE / "travel_planner.py", lambda model: model.script(*TRIP)),
    }
)
"""The programs by required module; the first one that is installed runs."""


@dataclass(frozen=True)
class CrewModel:
    """A model that the crew can ask instead of OpenAI's.

    Attributes:
        name: CrewAI's name of it.
        variables: Those with which its SDK calls the scripted model.
    """

    name: str
    variables: Callable[[ScriptedModel], dict[str, str]]


MODELS: Final = MappingProxyType(
    {
        "claude": CrewModel(
            "anthropic/claude-sonnet-4-5",
            lambda model: {"ANTHROPIC_BASE_URL": model.base_url, "ANTHROPIC_API_KEY": "none"},
        ),
        "gemini": CrewModel(
            "gemini/gemini-2.5-flash",
            lambda model: {"GOOGLE_GEMINI_BASE_URL": model.base_url, "GEMINI_API_KEY": "none"},
        ),
    }
)
"""The models by the demo's argument."""

_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def run(model_name: str | None = None) -> int:
    """Run the first program whose module is installed; return the exit status.

    Args:
        model_name: The model that the crew asks, of `MODELS`; one of OpenAI's for None.

    Raises:
        StopIteration: None is installed.
    """
    program = next(program for name, program in PROGRAMS.items() if find_spec(name))
    chosen = None if model_name is None else MODELS[model_name]
    arguments = [str(program.path), *([] if chosen is None else [chosen.name])]
    environment = Environment()
    signal = environment.signal("traces")
    endpoint = redacted(signal.endpoint.value)
    listening = environment.sendable(signal) and not connection_refused(signal.address)
    _write(" ".join(["$ opentelemetry-instrument python", program.path.name, *arguments[1:]]))
    with ScriptedModel() as model:
        program.prepare(model)
        variables = {**_exporters(listening), **client(model)}
        variables |= {} if chosen is None else chosen.variables(model)
        command = [sys.executable, "-c", INSTRUMENTED, sys.executable, *arguments]
        done = subprocess.run(command, env={**os.environ, **variables}, check=False)
    if done.returncode == 0:
        _write(f"The same trace was sent to {endpoint}." if listening else _NOT_SENT)
        if environment.text(_CAPTURE) is None:
            _write(f"Prompts and responses are not recorded unless {_CAPTURE}=SPAN_ONLY.")
    return done.returncode


_NOT_SENT: Final = (
    "No OTLP receiver is listening, so the trace was only drawn. To send it, start a Collector "
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


def client(model: ScriptedModel) -> dict[str, str]:
    """Return the variables with which an OpenAI client calls ``model``."""
    address = model.openai_url
    return {
        "OPENAI_API_BASE": address,  # the older name, which LlamaIndex reads
        "OPENAI_BASE_URL": address,
        "OPENAI_API_KEY": "none",
    }


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

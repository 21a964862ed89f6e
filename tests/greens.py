"""Programs whose threads are greenlets, of gevent or of eventlet."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from instrumented import DISABLED, Finished, running, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = [
    "EVENTLET",
    "GEVENT",
    "PATCHED_FIRST",
    "Greenlets",
    "ended",
    "module",
    "openai_variables",
    "terminated",
]

PATCHED_FIRST = {"OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH": "patch_all"}
"""A variable that makes ``opentelemetry-instrument`` patch for gevent first."""
_SECONDS = 60
LIMIT = "40"
"""Seconds for a delivery at the end: only one that hangs reaches them, even on a busy machine."""


@dataclass(frozen=True)
class Greenlets:
    """A library of greenlets.

    Attributes:
        patch: The lines that replace the standard library's threads.
        names: The lines that define ``spawn``, ``sleep`` and ``wait`` (for a list of greenlets).
        own_output: A pattern of what the library itself writes to standard error.
    """

    patch: str
    names: str
    own_output: str = ""

    def script(self, folder: Path, text: str) -> Path:
        """Write a program that starts with these lines."""
        return script(folder, f"{self.patch}\n{self.names}\n{text}")

    def errors(self, done: Finished) -> str:
        """Return the program's errors without the library's own output."""
        return re.sub(self.own_output, "", done.err, flags=re.DOTALL)


GEVENT = Greenlets(
    "from gevent import monkey\nmonkey.patch_all()",
    "from gevent import joinall as wait, sleep, spawn",
)
EVENTLET = Greenlets(
    "import eventlet\neventlet.monkey_patch()",
    "from eventlet import sleep, spawn\nwait = lambda greenlets: [one.wait() for one in greenlets]",
    r"An exception was thrown while monkey_patching for eventlet\..*?has no attribute 'items'\n",
)


def variables(receiver: Receiver, given: Mapping[str, str]) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "PYTHONWARNINGS": "ignore",  # eventlet warns of its end of life
        "OTEL_AGENTS_EXIT_TIMEOUT": LIMIT,
        "OTEL_AGENTS_SIGNAL_TIMEOUT": LIMIT,
        DISABLED: "litellm,otel_agents_litellm",  # where an unsupported version is installed
        **given,
    }


def openai_variables(model: ScriptedModel) -> dict[str, str]:
    """Return the variables of a program that calls ``model`` with the OpenAI SDK."""
    return {"OPENAI_BASE_URL": model.openai_url, "OPENAI_API_KEY": "none"}


@contextmanager
def running_program(
    path: Path, receiver: Receiver, given: Mapping[str, str], **options: object
) -> Generator[subprocess.Popen[str], None, None]:
    """Start a program with the installed instrumentors; kill it at the end of the block."""
    with running(path, variables(receiver, given), installed=True, **options) as process:
        yield process


@contextmanager
def module(
    arguments: Sequence[str], receiver: Receiver, given: Mapping[str, str], **options: object
) -> Generator[subprocess.Popen[str], None, None]:
    """Start ``python -m`` with ``arguments``."""
    with running_program(Path("-m"), receiver, given, arguments=arguments, **options) as process:
        yield process


def ended(path: Path, receiver: Receiver, given: Mapping[str, str] | None = None) -> Finished:
    """Run a program to its end."""
    with running_program(path, receiver, given or {}) as process:
        return _finished(process)


def terminated(process: subprocess.Popen[str]) -> Finished:
    """End a program by SIGTERM."""
    process.terminate()
    return _finished(process)


def _finished(process: subprocess.Popen[str]) -> Finished:
    began = time.monotonic()
    out, err = process.communicate(timeout=_SECONDS)
    return Finished(out, err, process.returncode, time.monotonic() - began)

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
    "asking",
    "ended",
    "module",
    "terminated",
]

PATCHED_FIRST = {"OTEL_PYTHON_AUTO_INSTRUMENTATION_EXPERIMENTAL_GEVENT_PATCH": "patch_all"}
"""What has ``opentelemetry-instrument`` patch for gevent before anything else begins."""
_SECONDS = 60


@dataclass(frozen=True)
class Greenlets:
    """A library of greenlets.

    Attributes:
        patch: The lines that put them where the standard library has threads.
        names: Those that make ``spawn``, ``sleep`` and ``wait``, for a list of greenlets.
        says: What it writes of itself into each program's errors, with and without us.
    """

    patch: str
    names: str
    says: str = ""

    def script(self, folder: Path, text: str) -> Path:
        """A program that begins with all that."""
        return script(folder, f"{self.patch}\n{self.names}\n{text}")

    def errors(self, done: Finished) -> str:
        """What stands in the errors beside."""
        return re.sub(self.says, "", done.err, flags=re.DOTALL)


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
        "PYTHONWARNINGS": "ignore",  # eventlet warns of its own end
        DISABLED: "litellm,otel_agents_litellm",  # where a version is installed that is of no use
        **given,
    }


def asking(model: ScriptedModel) -> dict[str, str]:
    """The variables of a program that asks ``model`` by the SDK of OpenAI."""
    return {"OPENAI_BASE_URL": model.openai_url, "OPENAI_API_KEY": "none"}


@contextmanager
def begun(
    path: Path, receiver: Receiver, given: Mapping[str, str], **options: object
) -> Generator[subprocess.Popen[str], None, None]:
    """Start a program with the instrumentors that are installed; it does not outlive the block."""
    with running(path, variables(receiver, given), installed=True, **options) as process:
        yield process


@contextmanager
def module(
    arguments: Sequence[str], receiver: Receiver, given: Mapping[str, str], **options: object
) -> Generator[subprocess.Popen[str], None, None]:
    """Start ``python -m`` with ``arguments``."""
    with begun(Path("-m"), receiver, given, arguments=arguments, **options) as process:
        yield process


def ended(path: Path, receiver: Receiver, given: Mapping[str, str] | None = None) -> Finished:
    """Run a program to its end."""
    with begun(path, receiver, given or {}) as process:
        return _finished(process)


def terminated(process: subprocess.Popen[str]) -> Finished:
    """End a program by SIGTERM."""
    process.terminate()
    return _finished(process)


def _finished(process: subprocess.Popen[str]) -> Finished:
    began = time.monotonic()
    out, err = process.communicate(timeout=_SECONDS)
    return Finished(out, err, process.returncode, time.monotonic() - began)

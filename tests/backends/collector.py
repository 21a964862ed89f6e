"""The real Collector with the files of collector-config/."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from backends.obtain import COLLECTOR
from backends.program import Program, fetch, responds
from instrumented import plain_environ
from otlp_receiver import free_port

__all__ = ["CONFIG", "Collector", "arguments", "samples", "validate"]

CONFIG = Path(__file__).parents[2] / "collector-config"
AWS = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Its AWS components need credentials, else they fail or search for them on the network."""

_UNUSED_ENDPOINT = "http://127.0.0.1:1"
_COMMAND = re.compile(r"^#.* otelcol-\w+( --config \S+)+$", re.MULTILINE)
_FILE = re.compile(r"--config (\S+)")
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def arguments(*names: str) -> list[str]:
    """Return the options for files of collector-config/: one with its own command line, several as given."""
    files = [f"{name}.yaml" for name in ("common", *names)]
    if len(names) == 1:
        command = _COMMAND.search((CONFIG / files[-1]).read_text("utf-8"))
        assert command is not None, f"{files[-1]} has no command line"
        files = _FILE.findall(command[0])
    return [f"--config={CONFIG / file}" for file in files]


def validate(*names: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``validate`` on files of collector-config/."""
    return subprocess.run(
        [str(COLLECTOR.path), "validate", *arguments(*names)],
        env=plain_environ({**AWS, **environ}),
        capture_output=True,
        text=True,
        check=False,
    )


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Parse the samples of a Prometheus endpoint, by name and labels."""
    return {
        (found[1], frozenset(_LABEL.findall(found[2] or ""))): float(found[3])
        for found in _SAMPLE.finditer(text)
    }


class Collector(Program):
    """A Collector on free ports of loopback.

    Args:
        names: A file of collector-config/ without its suffix, run by the command that it states; or
            several, which follow what all share.
        environ: Its variables: where backends are, waits, intervals.
        state: Where its queues are; a second Collector takes them over after the first one's end.
    """

    def __init__(
        self, *names: str, environ: Mapping[str, str] | None = None, state: Path | None = None
    ) -> None:
        ports = [f"127.0.0.1:{free_port()}" for _ in range(4)]
        self.otlp_grpc, self.otlp_http, self._health, self._prometheus = ports
        self._telemetry = free_port()
        own = {
            "OTLP_GRPC_ENDPOINT": self.otlp_grpc,
            "OTLP_HTTP_ENDPOINT": self.otlp_http,
            "HEALTH_ENDPOINT": self._health,
            "PROMETHEUS_ENDPOINT": self._prometheus,
            "TELEMETRY_PORT": str(self._telemetry),
            "FLUSH_TIMEOUT": "100ms",
            "RETRY_MAX_INTERVAL": "1s",
            "METRICS_FLUSH_INTERVAL": "1s",
            "XRAY_QUEUE_ENDPOINT": f"127.0.0.1:{free_port()}",
            "XRAY_ENDPOINT": _UNUSED_ENDPOINT,  # by default it is AWS
            "XRAY_OTLP_ENDPOINT": _UNUSED_ENDPOINT,
        }
        command = [COLLECTOR.path, *arguments(*names)]
        super().__init__(command, {**AWS, **own, **(environ or {})}, folder=state)

    @property
    def endpoint(self) -> str:
        """The OTLP/HTTP endpoint."""
        return f"http://{self.otlp_http}"

    def ready(self) -> bool:
        return responds(f"http://{self._health}/")

    def metrics(self) -> str:
        """Return the applications' metrics of its Prometheus endpoint."""
        return fetch(f"http://{self._prometheus}/metrics")

    def telemetry(self) -> str:
        """Return its own metrics: ``otelcol_exporter_…``, ``otelcol_receiver_…``."""
        return fetch(f"http://127.0.0.1:{self._telemetry}/metrics")

    def count(self, name: str, **labels: str) -> float:
        """Return the sum of its own metric's samples that have ``labels``."""
        return sum(
            value
            for (sample, given), value in samples(self.telemetry()).items()
            if sample == name and labels.items() <= dict(given).items()
        )

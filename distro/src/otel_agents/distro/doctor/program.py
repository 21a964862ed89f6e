"""A program that the doctor runs: its spans come to the doctor, and to nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import PurePath
from typing import Any, Final

from otel_agents.distro.discovery import INSTRUMENTED
from otel_agents.distro.doctor.scopes import (
    EmittingScope,
    Received,
    emitting_scopes,
    received,
)

__all__ = ["Observed", "observe"]

_COMMAND: Final = "opentelemetry-instrument"
_LOOPBACK: Final = "127.0.0.1"
_MOST_SPANS: Final = 100_000
_TRACES: Final = "/v1/traces"
_NO_PROXY: Final = ("NO_PROXY", "no_proxy")


@dataclass(frozen=True)
class Observed:
    """What a program emitted. ``findings`` are sentences."""

    scopes: tuple[EmittingScope, ...] = ()
    findings: tuple[str, ...] = ()


def observe(program: Sequence[str], environ: Mapping[str, str]) -> Observed:
    """Run a program under ``opentelemetry-instrument`` to its end; nothing for an empty one.

    Its output goes to standard error. Each of its traces is sampled; its metrics and log records
    are not sent.

    Args:
        program: The command and its arguments.
        environ: The variables as the user set them.
    """
    if not program:
        return Observed()
    spans: list[Received] = []
    with _receiving(spans) as endpoint:
        problem = _run(program, _redirected(environ, endpoint))
    scopes = emitting_scopes(spans)
    twice = tuple(filter(None, (scope.finding for scope in scopes)))
    silent = () if spans else (_SILENT,)
    return Observed(scopes, (*((problem,) if problem else ()), *silent, *twice))


_SILENT: Final = (
    "the program emitted no span of a model, an agent or a tool: see which frameworks above run, and "
    "whether the program uses them"
)


def _redirected(environ: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """Return the variables with which all spans go to ``endpoint``."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("OTEL_EXPORTER_OTLP_", "OTEL_TRACES_SAMPLER"))
        and name not in ("OTEL_CONFIG_FILE", "OTEL_EXPERIMENTAL_CONFIG_FILE")
    }
    direct = {name: _joined(",", environ.get(name), _LOOPBACK) for name in _NO_PROXY}
    return {
        **kept,
        **direct,
        # ``python`` is that of the environment that the doctor examines.
        "PATH": _joined(os.pathsep, os.path.dirname(sys.executable), environ.get("PATH")),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_PYTHON_DISTRO": "otel_agents",
        "OTEL_PYTHON_CONFIGURATOR": "otel_agents",
    }


def _joined(separator: str, *parts: str | None) -> str:
    return separator.join(filter(None, parts))


def _run(program: Sequence[str], environ: Mapping[str, str]) -> str:
    """Run it; return a sentence about how it failed, or nothing."""
    given = [*program[1:]] if PurePath(program[0]).name == _COMMAND else [*program]
    command = [sys.executable, "-c", INSTRUMENTED, *given]
    with subprocess.Popen(command, env=environ, stdout=sys.stderr) as process:
        while True:
            try:
                status = process.wait()
                break
            except KeyboardInterrupt:  # the terminal sends it to the program, too
                continue
    return f"the program ended with status {status}" if status > 0 else ""


@contextmanager
def _receiving(spans: list[Received]) -> Generator[str, None, None]:
    """Receive spans on loopback; yield the endpoint."""
    server = ThreadingHTTPServer((_LOOPBACK, 0), _handler(spans))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{_LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(spans: list[Received]) -> type[BaseHTTPRequestHandler]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path == _TRACES:
                request: Any = ExportTraceServiceRequest.FromString(body)
                room = max(_MOST_SPANS - len(spans), 0)
                spans.extend(islice(received(request), room))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    return Handler

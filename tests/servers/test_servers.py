"""Real servers, which set signal handlers of their own and fork: no span of a request is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from faults import measured
from instrumented import running, script
from otlp_receiver import Receiver

WSGI = """
    import os
    from opentelemetry import trace

    tracer = trace.get_tracer("t")
    tracer.start_span("loaded").end()

    def app(environ, start_response):
        with tracer.start_as_current_span(environ["PATH_INFO"]):
            if environ["PATH_INFO"] == "/slow":
                print("working", flush=True)
                open(os.environ["GATE"]).read()
        start_response("204 No Content", [])
        return []
"""
CONFIGURATION = """
    workers = 2

    def post_worker_init(worker):
        print("ready", flush=True)
"""
ASGI = """
    import asyncio, os
    from opentelemetry import trace

    tracer = trace.get_tracer("t")
    tracer.start_span("loaded").end()

    async def app(scope, receive, send):
        with tracer.start_as_current_span(scope["path"]):
            if scope["path"] == "/slow":
                print("working", flush=True)
                await asyncio.to_thread(lambda: open(os.environ["GATE"]).read())
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
"""
QUICK = ["/0", "/1", "/2"]
PROGRAMS = Path(sys.executable).parent


class Server:
    """A server that listens at a socket of the test's, so that requests may come before it is up."""

    def __init__(self, process: subprocess.Popen[str], port: int, gate: Path) -> None:
        self._port = port
        self._gate = gate
        self.process = process

    def request(self, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def terminate_during_a_request(self) -> tuple[int, str]:
        """The exit status and the errors; SIGTERM comes while it answers ``/slow``."""
        with ThreadPoolExecutor(1) as client:
            answer = client.submit(self.request, "/slow")
            assert self.line() == "working\n"
            self.process.terminate()
            self._gate.write_text("go on")  # waits for the reader
            assert answer.result() == 204
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


@contextmanager
def serving(
    folder: Path, receiver: Receiver, server: str, *arguments: str
) -> Generator[Server, None, None]:
    gate = folder / "gate"
    os.mkfifo(gate)
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "GATE": str(gate),
        "PYTHONPATH": str(folder),
        "PYTHONWARNINGS": "ignore",  # of fork beside threads, from Python 3.12 on
    }
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        filled = tuple(argument.format(fd=number) for argument in arguments)
        with running(PROGRAMS / server, variables, arguments=filled, inherit=(number,)) as process:
            yield Server(process, listening.getsockname()[1], gate)


@pytest.mark.parametrize("preload", [False, True])
def test_gunicorn(tmp_path: Path, preload: bool) -> None:
    """Each worker begins with empty queues and delivers when the master ends it."""
    script(tmp_path, WSGI, "application.py")
    configuration = script(tmp_path, CONFIGURATION, "configuration.py")
    # Not --config: opentelemetry-instrument takes it for an abbreviation of options of its own.
    options = ("-c", str(configuration), "--bind", "fd://{fd}", "--log-level", "error")
    options += ("--preload",) if preload else ()
    with (
        Receiver() as receiver,
        serving(tmp_path, receiver, "gunicorn", *options, "application:app") as server,
    ):
        assert [server.line(), server.line()] == ["ready\n"] * 2
        assert [server.request(path) for path in QUICK] == [204] * 3
        assert server.terminate_during_a_request() == (0, "")
    loaded = ["loaded"] if preload else ["loaded", "loaded"]
    assert receiver.span_names == [*QUICK, "/slow", *loaded]
    if preload:
        measured("gunicorn-preload", sent=5, arrived=receiver.unique_spans)
    else:
        measured("gunicorn", sent=6, arrived=receiver.unique_spans)


def test_uvicorn(tmp_path: Path) -> None:
    """It replaces the signal handlers, answers, puts them back, and raises the signal again."""
    script(tmp_path, ASGI, "application.py")
    options = ("--fd", "{fd}", "--lifespan", "off", "--log-level", "error", "application:app")
    with Receiver() as receiver, serving(tmp_path, receiver, "uvicorn", *options) as server:
        assert [server.request(path) for path in QUICK] == [204] * 3
        assert server.terminate_during_a_request() == (-signal.SIGTERM, "")
    assert receiver.span_names == [*QUICK, "/slow", "loaded"]
    measured("uvicorn", sent=5, arrived=receiver.unique_spans)

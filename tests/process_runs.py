"""One run of a command that starts processes: output, responses, end."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO

from instrumented import START, script, start
from otlp_receiver import Receiver, free_port
from process_models import Outcome, Row, arrived
from process_programs import PROGRAMS
from process_trees import Tree

from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel

__all__ = ["Program"]

SECONDS = 180.0
"""The limit of each wait, in seconds; a program that hangs is killed."""
HELD = "held"
"""The model whose response a test releases."""
INSTRUMENT = ("-c", START, "--", sys.executable)
"""Inserted before ``python program`` to run it under ``opentelemetry-instrument``."""
_LISTENS: Mapping[str, str] = {
    "gunicorn": "--bind 127.0.0.1:{port} --log-level error",
    "uvicorn": "--port {port} --log-level error",
    "hypercorn": "--bind 127.0.0.1:{port}",
    "granian": "--port {port}",
    "uwsgi": "--http-socket 127.0.0.1:{port}",
    "litellm": "--port {port}",
}
_NO_TIMES = {
    "OTEL_BSP_SCHEDULE_DELAY": "600000",
    "OTEL_METRIC_EXPORT_INTERVAL": "600000",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_AGENTS_EXIT_TIMEOUT": "20",
    "OTEL_AGENTS_SIGNAL_TIMEOUT": "20",
}
"""What arrives was sent because something ended, not because enough time had passed; and an end that
runs into its limit takes too long."""


class Program:
    """A row's command with a model of its own, under us where there is a receiver.

    It and the processes that it started do not outlive the block.
    """

    def __init__(
        self, row: Row, folder: Path, receiver: Receiver | None, variables: Mapping[str, str]
    ) -> None:
        self.row = row
        self.folder = folder
        self.responses: list[str] = []
        self._receiver = receiver
        self.port = free_port()
        self.request: Callable[[str], str] = self.get
        """How a response of the program is requested."""
        self._gate = threading.Event()
        self._model = ScriptedModel()
        self._model.script_by(self._respond)
        self._tree = Tree()
        self._variables = dict(variables)
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._errors: list[str] = []
        self._stack = ExitStack()
        self._ending = 0.0

    def __enter__(self) -> Program:
        self._stack.enter_context(self._model)
        for name, text in PROGRAMS.items():
            script(self.folder, text, name)
        self._variables |= {
            "OPENAI_BASE_URL": self._model.openai_url,
            "OPENAI_API_KEY": "none",
            "PORT": str(self.port),
            "PYTHONPATH": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "ignore",
            **self._tree.variables,
        }
        return self

    def __exit__(self, *error: object) -> None:
        self._gate.set()
        self._tree.kill()
        self._stack.close()

    def start(self) -> None:
        """Start the row's command."""
        name, *rest = shlex.split(self.row.command)
        if name == "python":
            self._start(self.folder / rest[0], rest[1:])
        else:
            listens = _LISTENS.get(name, "").format(port=self.port).split()
            self._start(Path(sys.executable).parent / name, [*listens, *rest])

    def start_in_notebook(self, ending: str) -> None:
        """Start a program that starts a kernel, the row's command, and runs the lines that it gets."""
        begin = () if self._receiver is None else INSTRUMENT
        kernel = [sys.executable, *begin, *shlex.split(self.row.command)[1:]]
        self._start(self.folder / "notebook.py", [ending, *kernel], instrument=False)

    def _start(self, program: Path, arguments: Sequence[str], *, instrument: bool = True) -> None:
        variables = self._variables
        if self._receiver is not None:
            endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": self._receiver.endpoint}
            variables = {**variables, **_NO_TIMES, **endpoint}
        begin = INSTRUMENT if instrument and self._receiver is not None else ()
        first, *rest = [*begin, str(program), *arguments]
        self.process = start(
            Path(first),
            variables,
            instrument=False,
            installed=True,
            arguments=rest,
            folder=self.folder,
        )
        self._stack.enter_context(self.process)
        for stream, keep in ((self.process.stdout, False), (self.process.stderr, True)):
            assert stream is not None
            reader = threading.Thread(target=self._read, args=(stream, keep))
            reader.start()
            self._stack.callback(reader.join, SECONDS)

    def _read(self, stream: IO[str], keep: bool) -> None:
        for line in stream:
            if keep:
                self._errors.append(line)
            self._lines.put(line)
        self._lines.put("")  # the end, as by readline

    def line(self, pattern: str = "") -> str:
        """Return the next line that matches, of either output: uWSGI prints to standard error."""
        deadline = time.monotonic() + SECONDS
        ends = 0
        while True:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0))
            except Empty:
                raise AssertionError(self._hangs(f"prints nothing like {pattern!r}")) from None
            ends += not line
            if ends == 2:
                raise AssertionError(self._hangs(f"ended before it printed {pattern!r}"))
            if line and re.search(pattern, line):
                return line.rstrip("\n")

    def _hangs(self, what: str) -> str:
        return f"{self.row.command} {what}: {self.stderr}"

    @property
    def stderr(self) -> str:
        return "".join(self._errors)

    def listening(self, times: int = 1) -> None:
        """Wait until it has loaded the application ``times`` times and accepts connections."""
        for _ in range(times):
            self.line("^loaded$")
        self.reachable()

    def reachable(self) -> None:
        """Wait until it accepts connections."""
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS).close()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None, self._hangs("ended")
                assert time.monotonic() < deadline, self._hangs("does not listen")
                time.sleep(0.01)  # only the port shows it

    def get(self, model: str) -> str:
        """Return its response to a request for a model."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request("GET", f"/{model}")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def call(self, *models: str) -> None:
        """Send requests, one after another."""
        self.responses += [self.request(model) for model in models]

    def terminate_during_a_request(self) -> None:
        """Send SIGTERM before the model responds."""
        served = self._model.ledger.requests
        with ThreadPoolExecutor(1) as client:
            response = client.submit(self.request, HELD)
            self._model.ledger.wait(served + 1, SECONDS)
            self.terminate()
            self._gate.set()
            self.responses.append(response.result())

    def idle(self) -> None:
        """Wait until each of its processes is idle: work after a response is done."""
        assert self._tree.idle(SECONDS), self._hangs("is never idle")

    def client(self, *command: str) -> None:
        """Run one of the client programs, uninstrumented; it prints responses."""
        process = start(
            self.folder / command[0],
            self._variables,
            instrument=False,
            arguments=command[1:],
            folder=self.folder,
        )
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(self._hangs(f"does not finish {command}")) from None
        assert process.returncode == 0, err + self.stderr
        self.responses += out.splitlines()

    def served(self, times: int) -> None:
        """Wait until the model has served ``times`` requests."""
        self._model.ledger.wait(times, SECONDS, ended=True)

    def delivered(self, times: int) -> None:
        """Wait until ``times`` spans and durations have arrived; do nothing without a receiver."""
        if self._receiver is None:
            return
        receiver = self._receiver

        def there() -> bool:
            found = arrived(receiver)
            return min(found.spans, found.points) >= times

        with receiver.arrived:
            receiver.arrived.wait_for(there, SECONDS)
        assert there(), self._hangs(
            f"has ended processes, but only this arrived: {arrived(receiver)}"
        )

    def write_line(self, text: str) -> None:
        """Write a line to its standard input; an empty one closes it."""
        assert self.process.stdin is not None
        if text:
            self.process.stdin.write(f"{text}\n")
            self.process.stdin.flush()
        else:
            self.process.stdin.close()

    def ending(self) -> None:
        """Start timing the end."""
        self._ending = time.monotonic()

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to the started process."""
        self.ending()
        self.process.send_signal(number)

    def ended(self) -> Outcome:
        """Wait for its end, and return the outcome."""
        try:
            status = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._hangs("does not end")) from None
        seconds = time.monotonic() - self._ending
        left = self._tree.left()
        return Outcome(
            sorted(self.responses), self._model.ledger.requests, status, seconds, self.stderr, left
        )

    def _respond(self, request: ModelRequest) -> Response:
        return Response(
            text=f"answer of {request.model}", gate=self._gate if request.model == HELD else None
        )

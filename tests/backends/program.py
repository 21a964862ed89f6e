"""A real server under test: started, waited for, stopped, and its output kept for a failure's report."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from backends.departing import with_parent
from instrumented import plain_environ
from typing_extensions import Self

__all__ = ["Program", "Unavailable", "answers", "fetch", "fetch_json", "wait_for"]

_STEP = 0.05
_STOP_SECONDS = 20
Result = TypeVar("Result")


class Unavailable(Exception):
    """A server did not answer as it should, in time or at all."""


def fetch(url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> str:
    """The text at ``url``, posted to where there is a body.

    Raises:
        Unavailable: There is no answer, or one that says an error.
    """
    request = urllib.request.Request(url, body, dict(headers or {}))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            raise Unavailable(f"{url}: {error.code} {error.read()[:500]!r}") from None
    except OSError as error:
        raise Unavailable(f"{url}: {error}") from None


def fetch_json(url: str, given: Any = None) -> Any:
    """The JSON at ``url``, to which ``given`` is posted as JSON where it is there."""
    if given is None:
        return json.loads(fetch(url))
    headers = {"Content-Type": "application/json"}
    return json.loads(fetch(url, body=json.dumps(given).encode(), headers=headers))


def answers(url: str) -> bool:
    """Whether ``url`` can be had."""
    try:
        fetch(url)
    except Unavailable:
        return False
    return True


def wait_for(
    look: Callable[[], Result | None], what: str, *, seconds: float = 30, step: float = _STEP
) -> Result:
    """What ``look`` finds: it is asked until it finds something that is true.

    Raises:
        Unavailable: Nothing was found in time; it says the last refusal.
    """
    deadline = time.monotonic() + seconds
    refusal = ""
    while True:
        try:
            if found := look():
                return found
        except Unavailable as error:
            refusal = f" ({error})"
        if time.monotonic() > deadline:
            raise Unavailable(f"not within {seconds:.0f} s: {what}{refusal}")
        time.sleep(step)


class Program:
    """A server that runs while it is a context manager; a subclass says when it is ready.

    Args:
        command: What to run.
        environ: Its environment's, besides this process's without OTEL_* and proxies.
        seconds: How long it may take to get ready.
        folder: Its working directory; default is one of its own that goes with it.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        environ: Mapping[str, str],
        *,
        seconds: float = 60,
        folder: Path | None = None,
    ) -> None:
        self._command = [str(part) for part in command]
        self._environ = plain_environ(environ)
        self._seconds = seconds
        self._own = tempfile.TemporaryDirectory(prefix="otel-agents-", ignore_cleanup_errors=True)
        self.folder = folder or Path(self._own.name)
        self._output = Path(self._own.name) / f"{type(self).__name__.lower()}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it has written to its outputs."""
        return self._output.read_text("utf-8", "replace") if self._output.exists() else ""

    @property
    def pid(self) -> int:
        """Its process's id; it must run."""
        assert self._process is not None
        return self._process.pid

    @property
    def started(self) -> bool:
        """Whether it was started, be it that it ended since."""
        return self._process is not None

    def ready(self) -> bool:
        """Whether it serves."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and wait until it serves.

        Raises:
            Unavailable: It ended, or did not get ready in time; the end of its log is in it.
        """
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                with_parent(self._command),
                env=self._environ,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            wait_for(self._started, f"{type(self).__name__} serves", seconds=self._seconds)
        except BaseException:
            self.stop()
            raise

    def _started(self) -> bool:
        assert self._process is not None
        status = self._process.poll()
        if status is not None:
            raise RuntimeError(f"{self._command} ended with {status}\n{self.log[-6000:]}")
        return self.ready()

    def stop(self) -> int:
        """Ask it to end, and wait until it did; its exit status."""
        if self._process is None:
            return 0
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        return self.kill()

    def kill(self) -> int:
        """End it, and what it started, as a lost machine does; its exit status."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._own.cleanup()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        if isinstance(error, Exception):  # not where the user has seen enough
            print(f"--- log of {self._command[0]}\n{self.log[-8000:]}")  # noqa: T201  pytest shows it
        self._own.cleanup()

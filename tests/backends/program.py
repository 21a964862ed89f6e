"""A real server: started, awaited, stopped, with its output for the report of a failure."""

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

__all__ = ["Program", "Unavailable", "fetch", "fetch_json", "responds", "wait_for"]

_STEP = 0.05
_STOP_SECONDS = 20
Result = TypeVar("Result")


class Unavailable(Exception):
    """A server did not respond as expected in time."""


def fetch(url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> str:
    """Return the text at ``url``; POST if there is a body.

    Raises:
        Unavailable: There is no response, or an error.
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
    """Return the JSON at ``url``; POST ``given`` as JSON if it is set."""
    if given is None:
        return json.loads(fetch(url))
    headers = {"Content-Type": "application/json"}
    return json.loads(fetch(url, body=json.dumps(given).encode(), headers=headers))


def responds(url: str) -> bool:
    """Return whether ``url`` responds."""
    try:
        fetch(url)
    except Unavailable:
        return False
    return True


def wait_for(
    look: Callable[[], Result | None], what: str, *, seconds: float = 30, step: float = _STEP
) -> Result:
    """Call ``look`` until it returns a true value, and return that.

    Raises:
        Unavailable: It returned none in time; the message has the last error.
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
    """A server as a context manager; a subclass defines when it is ready.

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
        """Its output."""
        return self._output.read_text("utf-8", "replace") if self._output.exists() else ""

    @property
    def pid(self) -> int:
        """The id of its running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def started(self) -> bool:
        """Whether it was started, even if it has ended."""
        return self._process is not None

    def ready(self) -> bool:
        """Return whether it serves."""
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
        """Terminate it, and return its exit status."""
        if self._process is None:
            return 0
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        return self.kill()

    def kill(self) -> int:
        """Kill it and its children, as a power failure does; return its exit status."""
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

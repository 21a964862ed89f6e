"""A Redis server for one test, from the system's packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

import pytest

__all__ = ["redis"]


@contextmanager
def redis() -> Generator[str, None, None]:
    """Start an empty Redis, and yield its address: a socket in a folder with a short name.

    Where the program is not installed, the test is skipped; in CI it fails.
    """
    program = shutil.which("redis-server")
    if program is None:
        missing = "there is no redis-server: python3 tests/servers/obtain.py"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/redis.sock"
        options = ("--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder)
        with subprocess.Popen(
            [program, *options], stdout=subprocess.PIPE, text=True, cwd=folder
        ) as process:
            try:
                assert process.stdout is not None
                line = next((it for it in process.stdout if "ready to accept" in it.lower()), "")
                assert line, "Redis has ended"
                yield f"unix://{socket}"
            finally:
                process.kill()

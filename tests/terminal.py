"""A program in a pseudo-terminal, with scripted replies to its prompts."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["at_terminal"]

_SECONDS = 60


def at_terminal(
    command: Sequence[str | Path],
    variables: Mapping[str, str],
    folder: Path,
    prompt: str,
    replies: Sequence[str],
) -> str:
    """Run a program and return what its terminal shows.

    Args:
        command: The program and its arguments.
        variables: Its complete environment.
        folder: Its working directory.
        prompt: The text after which the next reply is typed, each time that it appears.
        replies: Lines to type; after the last one nothing is typed.

    Raises:
        subprocess.CalledProcessError: The program fails.
    """
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [str(part) for part in command],
        env=dict(variables),
        cwd=folder,
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    try:
        shown = _conversed(ours, prompt, replies)
        status = process.wait(_SECONDS)
    finally:
        process.kill()
        os.close(ours)
    if status:
        raise subprocess.CalledProcessError(status, process.args, shown)
    return shown


def _conversed(terminal: int, prompt: str, replies: Sequence[str]) -> str:
    shown, replied = b"", 0
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            chunk = b""
        if not chunk:
            return shown.decode("utf-8", "replace")
        shown += chunk
        if replied < min(shown.count(prompt.encode()), len(replies)):
            os.write(terminal, f"{replies[replied]}\n".encode())
            replied += 1

"""A program at a terminal of its own, and somebody who answers what it asks."""

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
    question: str,
    reply: str,
) -> str:
    """What the terminal shows until the end of a program that ends well.

    Args:
        command: The program and its arguments.
        variables: Its whole environment.
        folder: Where it runs.
        question: What ``reply`` is typed after, each time that it is shown.
        reply: A line.

    Raises:
        subprocess.CalledProcessError: It ends otherwise.
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
        shown = _conversed(ours, question, reply)
        status = process.wait(_SECONDS)
    finally:
        process.kill()
        os.close(ours)
    if status:
        raise subprocess.CalledProcessError(status, process.args, shown)
    return shown


def _conversed(terminal: int, question: str, reply: str) -> str:
    shown, answered = b"", 0
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # nobody is at the other end any more
            piece = b""
        if not piece:
            return shown.decode("utf-8", "replace")
        shown += piece
        if shown.count(question.encode()) > answered:
            answered += 1
            os.write(terminal, f"{reply}\n".encode())

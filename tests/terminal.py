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
    replies: Sequence[str],
) -> str:
    """What the terminal shows until the end of a program that ends well.

    Args:
        command: The program and its arguments.
        variables: Its whole environment.
        folder: Where it runs.
        question: What the next reply is typed after, each time that it is shown.
        replies: Lines; where there are no more, nobody answers.

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
        shown = _conversed(ours, question, replies)
        status = process.wait(_SECONDS)
    finally:
        process.kill()
        os.close(ours)
    if status:
        raise subprocess.CalledProcessError(status, process.args, shown)
    return shown


def _conversed(terminal: int, question: str, replies: Sequence[str]) -> str:
    shown, answered = b"", 0
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # nobody is at the other end any more
            piece = b""
        if not piece:
            return shown.decode("utf-8", "replace")
        shown += piece
        if answered < min(shown.count(question.encode()), len(replies)):
            os.write(terminal, f"{replies[answered]}\n".encode())
            answered += 1

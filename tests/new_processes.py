"""Python in a new process."""

from __future__ import annotations

import subprocess
import sys

__all__ = ["in_a_new_process"]


def in_a_new_process(code: str) -> str:
    """Return what ``code`` prints, run by this Python."""
    ran = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    return ran.stdout

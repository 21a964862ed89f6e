"""Obtains the servers of these tests: Redis, from Debian's packages.

Standard library only. What is there is not obtained again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PROGRAM = "redis-server"
QUIET = {"DEBIAN_FRONTEND": "noninteractive"}


def why_not() -> str:
    """Return why it cannot be installed; None if it can."""
    if shutil.which("apt-get") is None:
        return "this is no Debian: install Redis as this system does"
    if os.geteuid() != 0:
        return f"only root can: sudo apt-get install {PROGRAM}"
    return ""


def installed() -> bool:
    """Install it; return whether that worked. Fetch an old package list first."""
    return _install() or (_apt_get("update") and _install())


def _install() -> bool:
    return _apt_get("install", PROGRAM) and shutil.which(PROGRAM) is not None


def _apt_get(*step: str) -> bool:
    command = ["apt-get", "--quiet", "--yes", *step]
    return subprocess.run(command, env={**os.environ, **QUIET}, check=False).returncode == 0


def main() -> int:
    """Return the exit status: 0 if it is installed."""
    if shutil.which(PROGRAM):
        return 0
    reason = why_not()
    if not reason and not installed():
        reason = f"apt-get install {PROGRAM} did not work"
    if reason:
        sys.stderr.write(f"{PROGRAM}, which the tests of RQ run, is not obtained: {reason}\n")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main())

"""uWSGI, which handles signals by itself, and forks its workers without telling the interpreter.

A worker hangs where a thread of its master is about to wait for the interpreter's lock at that moment.
The master runs no exit handlers, so that what it has recorded is the first worker's to deliver.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from otel_agents.distro.starting.program import started_as
from otel_agents.instrumentors.hosting import expect_workers, guarded

__all__ = ["follow", "is_uwsgi"]


def is_uwsgi() -> bool:
    """Whether this is uWSGI, by the name of its program; its module is made only afterwards."""
    return any("uwsgi" in os.path.basename(path) for path in (*started_as(), _running()))


def follow() -> None:
    """Where this is uWSGI: have threads wait for its workers, and the first go on for its master."""
    if is_uwsgi():
        expect_workers(is_worker=_is_worker, is_heir=_is_heir)


def _running() -> str:
    """The file that runs; where it embeds the interpreter, Python may take another for itself."""
    try:
        return os.readlink("/proc/self/exe")
    except OSError:
        return ""


def _module() -> Any:
    """What uWSGI makes of itself; None before that."""
    return sys.modules.get("uwsgi")


@guarded("looking for the workers of uWSGI", False)
def _is_worker() -> bool:
    """Also the first of several without a master, which has forked the others then; also its kin."""
    server = _module()
    if server is None:
        return False
    spools = getattr(server, "i_am_the_spooler", None)  # it has that where there is any
    return server.worker_id() > 0 or server.mule_id() > 0 or bool(spools and spools())


@guarded("looking for the workers of uWSGI", False)
def _is_heir() -> bool:
    """The first worker, where it was not started again: of all that are forked, there is one."""
    server = _module()
    if server is None or server.worker_id() != 1:
        return False
    return not server.workers()[0]["respawn_count"]

"""uWSGI, which handles signals itself and forks its workers without Python's fork hooks.

A worker hangs if a thread of the master holds or waits for the GIL at that moment. The master runs
no exit handlers, so the first worker delivers what the master has recorded.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from otel_agents.distro.starting.program import started_as
from otel_agents.instrumentors.hosting import expect_workers, guarded

__all__ = ["install", "is_uwsgi"]


def is_uwsgi() -> bool:
    """Return whether this is uWSGI, by the program's name; its module is created only later."""
    return any("uwsgi" in os.path.basename(path) for path in (*started_as(), _executable()))


def install() -> None:
    """Under uWSGI, delay threads until a worker runs; its first worker inherits the telemetry."""
    if is_uwsgi():
        expect_workers(is_worker=_is_worker, inherits_telemetry=_inherits_telemetry)


def _executable() -> str:
    """Return the running file; `sys.executable` may differ if it embeds the interpreter."""
    try:
        return os.readlink("/proc/self/exe")
    except OSError:
        return ""


def _module() -> Any:
    """Return the module ``uwsgi``, None before uWSGI creates it."""
    return sys.modules.get("uwsgi")


@guarded("looking for the workers of uWSGI", False)
def _is_worker() -> bool:
    """Return whether this is a worker, mule or spooler.

    Without a master, worker 1 forks the others.
    """
    server = _module()
    if server is None:
        return False
    spools = getattr(server, "i_am_the_spooler", None)  # it exists only if a spooler is configured
    return server.worker_id() > 0 or server.mule_id() > 0 or bool(spools and spools())


@guarded("looking for the workers of uWSGI", False)
def _inherits_telemetry() -> bool:
    """Return whether this is the first worker in its first life, of which there is exactly one."""
    server = _module()
    if server is None or server.worker_id() != 1:
        return False
    return not server.workers()[0]["respawn_count"]

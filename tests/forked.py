"""Work done in a forked child, and what came of it."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable

__all__ = ["in_a_forked_child"]

_SECONDS = 20


def in_a_forked_child(work: Callable[[], object], meanwhile: Callable[[], object] = int) -> str:
    """Fork, run ``work`` in the child; the ``repr`` of what it returned, or its traceback.

    Args:
        work: What the child does; a child that waits for ever is ended.
        meanwhile: What the parent does once it has forked.
    """
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read)
            threading.Timer(_SECONDS, os._exit, (1,)).start()
            os.write(write, _told(work).encode())
        finally:
            os._exit(0)
    os.close(write)
    meanwhile()
    with os.fdopen(read) as told:
        text = told.read()
    os.waitpid(child, 0)
    return text


def _told(work: Callable[[], object]) -> str:
    try:
        return repr(work())
    except BaseException:  # noqa: BLE001  the child's own; it must not become a second pytest
        return traceback.format_exc()

"""Work in a forked child, and its result."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable

__all__ = ["in_a_forked_child"]

_SECONDS = 20


def in_a_forked_child(work: Callable[[], object], meanwhile: Callable[[], object] = int) -> str:
    """Fork and run ``work`` in the child; return the ``repr`` of its result, or its traceback.

    Args:
        work: What the child does; a child that hangs is terminated.
        meanwhile: What the parent does after the fork.
    """
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(read)
            threading.Timer(_SECONDS, os._exit, (1,)).start()
            os.write(write, _result_of(work).encode())
        finally:
            os._exit(0)
    os.close(write)
    meanwhile()
    with os.fdopen(read) as result:
        text = result.read()
    os.waitpid(child, 0)
    return text


def _result_of(work: Callable[[], object]) -> str:
    try:
        return repr(work())
    except BaseException:  # noqa: BLE001  the child's own; it must not become a second pytest
        return traceback.format_exc()

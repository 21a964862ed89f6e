"""What a forked child must make anew."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

__all__ = ["renew_after_fork"]


def renew_after_fork(renew: Callable[[], object]) -> None:
    """Call the bound method ``renew`` in each forked child, while its object is alive."""
    known = weakref.WeakMethod(renew)

    def in_child() -> None:
        method = known()
        if method is not None:
            method()

    if hasattr(os, "register_at_fork"):  # not on Windows
        os.register_at_fork(after_in_child=in_child)

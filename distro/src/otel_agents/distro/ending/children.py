"""Children of `multiprocessing`, which end without the interpreter's exit handlers."""

from __future__ import annotations

from typing import Any, Final, Protocol

from wrapt import register_post_import_hook

from otel_agents.instrumentors.hosting import guarded

__all__ = ["Ending", "finish_children"]

_LAST: Final = -100
"""After the finalizers of others, and after a child has waited for children of its own."""


class Ending(Protocol):
    """What ends with its process."""

    def shutdown(self) -> None:
        """Deliver what is left."""
        ...


def finish_children(ending: Ending) -> None:
    """Shut ``ending`` down at the end of each child; nothing is imported for it."""

    @guarded("following multiprocessing")
    def imported(util: Any) -> None:
        # A child begins by clearing the finalizers that it inherited.
        util.register_after_fork(ending, in_child)

    @guarded("following multiprocessing")
    def in_child(ending: Ending) -> None:
        from multiprocessing import util

        util.Finalize(None, ending.shutdown, exitpriority=_LAST)

    register_post_import_hook(imported, "multiprocessing.util")

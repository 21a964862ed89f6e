"""How a context reaches work in a thread, an executor or a queue.

The context is made current with `attach`, and left by attaching the previous one again, never with
a token: a token of a generator, a callback or a collected coroutine may belong to another
`contextvars.Context`, and OpenTelemetry then logs "Failed to detach context".
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames
from otel_agents.instrumentors._core.tables import A_DAY, Bounded

__all__ = ["Handover", "carry"]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_LIMIT: Final = 4096


def carry(function: _Function, context: Context | None = None) -> _Function:
    """Return ``function`` bound to ``context`` (default: the current one), for another thread."""
    carried = get_current() if context is None else context

    @functools.wraps(function)
    def carrying(*args: Any, **kwargs: Any) -> Any:
        outer = get_current()
        attach(carried)
        try:
            return function(*args, **kwargs)
        finally:
            attach(outer)

    return carrying  # pyright: ignore[reportReturnType]  wraps keeps the signature


class Handover:
    """Contexts for work that somebody else starts, found by the objects that it works on.

    Each context is taken once. The objects are referenced meanwhile, so that no other object can
    have their identity; the oldest are dropped if nobody takes them.

    Example:
        >>> tasks = Handover()
        >>> task = object()
        >>> tasks.give(task)  # where it is handed to a thread
        >>> tasks.take(task) is not None  # in the thread
        True
        >>> tasks.take(task) is None
        True

    Args:
        limit: The maximum number of waiting contexts.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._contexts: Bounded[tuple[int, ...], tuple[Context, tuple[object, ...]]] = Bounded(
            limit, seconds=A_DAY
        )

    def give(self, *objects: object, context: Context | None = None) -> None:
        """Give ``context`` (default: the current one) to the work on ``objects``."""
        given = get_current() if context is None else context
        self._contexts.put(_identity(objects), (given, objects))

    def take(self, *objects: object) -> Context | None:
        """Take the context that was given for ``objects``; None if there is none."""
        entry = self._contexts.pop(_identity(objects))
        return entry[0] if entry is not None else None

    def drop(self, *objects: object) -> None:
        """Drop the context for ``objects``: nobody will take it."""
        self._contexts.pop(_identity(objects))


def _identity(objects: tuple[object, ...]) -> tuple[int, ...]:
    return tuple(map(id, objects))


hide_frames(globals())

"""How a context crosses to where work goes on without it: a thread, an executor, a queue.

The context is made current by `attach` and left by attaching the previous one again, never by a
token: a token of a generator, a callback or a collected coroutine may belong to another
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
    """``function`` bound to ``context`` (default: the current one), for a thread or an executor."""
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
    """Contexts on their way to work that somebody else starts, known by the objects it works on.

    Each is taken once. The objects are held meanwhile, so that no other can have their identity;
    the oldest are forgotten where nobody takes them.

    Example:
        >>> tasks = Handover()
        >>> task = object()
        >>> tasks.give(task)  # where it is handed to a thread
        >>> tasks.take(task) is not None  # in the thread
        True
        >>> tasks.take(task) is None
        True

    Args:
        limit: How many may be on their way.
    """

    def __init__(self, limit: int = _LIMIT) -> None:
        self._contexts: Bounded[tuple[int, ...], tuple[Context, tuple[object, ...]]] = Bounded(
            limit, seconds=A_DAY
        )

    def give(self, *objects: object, context: Context | None = None) -> None:
        """Hand ``context`` (default: the current one) to the work on ``objects``."""
        given = get_current() if context is None else context
        self._contexts.put(_identity(objects), (given, objects))

    def take(self, *objects: object) -> Context | None:
        """The context that was given for ``objects``, None where none was, or it was taken."""
        entry = self._contexts.pop(_identity(objects))
        return entry[0] if entry is not None else None

    def drop(self, *objects: object) -> None:
        """Nobody will take it any more."""
        self._contexts.pop(_identity(objects))


def _identity(objects: tuple[object, ...]) -> tuple[int, ...]:
    return tuple(map(id, objects))


hide_frames(globals())

"""What a distribution needs of the instrumentors, and the only door to it.

It loads them, decides between them and their rivals, and has nothing lost when the process ends:

    hosting.take_over_loading()
    for entry_point in entry_points(group=hosting.GROUP):
        if hosting.is_ours(entry_point):
            entry_point.load()().instrument(raise_exception_on_conflict=True)

A distribution imports this at the start of every process, so it is cheap: what costs time is
looked for where an instrumentor has imported it, and never imported from here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from ._core import system
from ._core.context.carrying import carry
from ._core.errors import attempt, guarded, inform, warn
from ._core.forking import Lock, notice_fork, renew_after_fork
from ._core.patching.conflicts import (
    GROUP,
    ConflictingInstrumentation,
    active_conflicts,
    is_ours,
    plain_name,
    refuses,
    registered_conflicts,
    take_over_loading,
    unreadable,
)
from ._core.tables import Bounded
from ._core.telemetry.records import completed
from ._core.threads import signals_blocked, start_apart
from ._core.workers import expect_workers, inherits_telemetry, start_in_worker

if TYPE_CHECKING:
    from ._core.calls.reporting import StreamObserver
    from ._core.operations.in_progress import InProgress

__all__ = [
    "GROUP",
    "Bounded",
    "ConflictingInstrumentation",
    "Lock",
    "abandon",
    "active_conflicts",
    "attempt",
    "carry",
    "completed",
    "drain_streams",
    "expect_workers",
    "guarded",
    "inform",
    "inherits_telemetry",
    "interrupt",
    "is_discarded",
    "is_ours",
    "missing_hooks",
    "notice_fork",
    "operations_in_progress",
    "plain_name",
    "refuses",
    "registered_conflicts",
    "renew_after_fork",
    "signals_blocked",
    "start_apart",
    "start_in_worker",
    "streams_in_progress",
    "system",
    "take_over_loading",
    "unreadable",
    "warn",
]

_STREAMS: Final = f"{__package__}._core.calls.disposal"
_OPERATIONS: Final = f"{__package__}._core.operations.in_progress"


def drain_streams(timeout: float) -> bool:
    """Have streams that the application dropped finalised: before the last export.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        Whether none is left.
    """
    drain = _loaded(_STREAMS, "drain")
    return drain is None or drain(timeout)


def operations_in_progress() -> Iterable[InProgress]:
    """The operations that have begun and not ended, in the order of their start.

    Also those whose span is not sampled, since they are measured all the same.
    """
    operations = _loaded(_OPERATIONS, "operations")
    return () if operations is None else operations()


def interrupt(operation: InProgress) -> None:
    """End ``operation`` with what it knows by now, as the process is told to end; raises nothing."""
    end = _loaded(_OPERATIONS, "interrupt")
    if end is not None:
        end(operation)


def streams_in_progress() -> list[StreamObserver]:
    """What the streams report to that somebody could still read, in the order of their start.

    Operations are among them, and calls of an outer layer that may not be reported at all.
    """
    streams = _loaded(_STREAMS, "open_streams")
    return [] if streams is None else streams()


def abandon(stream: StreamObserver) -> None:
    """Report that ``stream`` was left unread, as the process ends; raises nothing."""
    leave = _loaded(_STREAMS, "abandon")
    if leave is not None:
        leave(stream)


def is_discarded(span: Any) -> bool:
    """Whether ``span`` was begun for an operation that did not happen after all."""
    discarded = _loaded(_OPERATIONS, "DISCARDED")
    return discarded is not None and span in discarded


def missing_hooks() -> list[str]:
    """A sentence for each hook that the settings name and that cannot be found; none is run."""
    from ._core.hooks import completion, examining, redaction
    from .settings import Settings

    settings = Settings.read()
    names = (
        (redaction.named, settings.redaction_hook),
        (completion.named, settings.completion_hook),
    )
    hooks = (named(name) for named, name in names if name is not None)
    return [why for hook in hooks if (why := examining.why_missing(hook)) is not None]


def _loaded(module: str, name: str) -> Any:
    """``name`` of a module that somebody has imported; None where nobody has, or not to the end.

    A signal may come while a module is being imported, and must not wait for that.
    """
    return getattr(sys.modules.get(module), name, None)

"""The API for distributions: the only part of the instrumentors that they import.

It loads the instrumentors, resolves conflicts with other instrumentations, and reports what is in
progress when the process ends:

    hosting.take_over_loading()
    for entry_point in hosting.registered(hosting.GROUP):
        if hosting.is_ours(entry_point):
            entry_point.load()().instrument(raise_exception_on_conflict=True)

A distribution imports this at the start of every process, so it must be cheap. It looks up the
expensive modules where an instrumentor has imported them, and never imports them itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ._core import system
from ._core.context.carrying import carry
from ._core.errors import call_foreign, guarded, inform, warn
from ._core.forking import Lock, notice_fork, renew_after_fork
from ._core.patching.conflicts import (
    GROUP,
    ConflictingInstrumentation,
    active_conflicts,
    is_ours,
    metadata_problem,
    plain_name,
    refuses,
    registered,
    registered_conflicts,
    take_over_loading,
)
from ._core.tables import Bounded
from ._core.telemetry.records import sdk_record
from ._core.threads import signals_blocked, start_daemon
from ._core.workers import expect_workers, inherits_telemetry, start_in_worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context

    from ._core.calls.reporting import StreamObserver
    from ._core.operations.in_progress import InProgress
    from ._core.telemetry.foreign import ForeignContent
    from .settings import Settings

__all__ = [
    "GROUP",
    "Bounded",
    "ConflictingInstrumentation",
    "Lock",
    "abandon",
    "active_conflicts",
    "call_foreign",
    "carry",
    "carry_to_process",
    "drain_streams",
    "expect_workers",
    "foreign_content",
    "guarded",
    "identity_of",
    "inform",
    "inherits_telemetry",
    "interrupt",
    "is_discarded",
    "is_gated",
    "is_ours",
    "metadata_problem",
    "missing_hooks",
    "notice_fork",
    "notice_span",
    "operations_in_progress",
    "plain_name",
    "refuses",
    "registered",
    "registered_conflicts",
    "renew_after_fork",
    "sdk_record",
    "signals_blocked",
    "start_daemon",
    "start_in_worker",
    "streams_in_progress",
    "system",
    "take_over_loading",
    "warn",
]

_STREAMS: Final = f"{__package__}._core.calls.finalization"
_OPERATIONS: Final = f"{__package__}._core.operations.in_progress"
_TELEMETRY: Final = f"{__package__}._core.telemetry.telemetry"
_OWNERSHIP: Final = f"{__package__}._core.context.ownership"
_IDENTITY: Final = f"{__package__}._core.telemetry.identity"


def carry_to_process(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` bound to the current context, for a process that it is pickled to.

    The trace, the baggage and the identities cross, but no other values of the context. The result
    pickles if the function does, and can be called in a process that has no instrumentor as well.
    """
    from ._core.context import portable

    return portable.carry_to_process(function)


def drain_streams(timeout: float) -> bool:
    """Finalize the streams that the application dropped, before the last export.

    Args:
        timeout: Seconds to wait at most.

    Returns:
        Whether none is left.
    """
    drain = _loaded(_STREAMS, "drain")
    return drain is None or drain(timeout)


def operations_in_progress() -> Iterable[InProgress]:
    """Return the operations in progress, in the order of their start.

    This includes those without a sampled span, since their metrics are recorded too.
    """
    operations = _loaded(_OPERATIONS, "operations")
    return () if operations is None else operations()


def interrupt(operation: InProgress) -> None:
    """End ``operation`` with what is known, because the process is terminating; never raises."""
    end = _loaded(_OPERATIONS, "interrupt")
    if end is not None:
        end(operation)


def streams_in_progress() -> list[StreamObserver]:
    """Return the observers of the streams that can still be read, in the order of their start.

    They include operations, and calls of an outer layer that may not be reported at all.
    """
    streams = _loaded(_STREAMS, "open_streams")
    return [] if streams is None else streams()


def abandon(stream: StreamObserver) -> None:
    """Report that ``stream`` was left unread, because the process is ending; never raises."""
    leave = _loaded(_STREAMS, "abandon")
    if leave is not None:
        leave(stream)


def notice_span(span: object, parent_context: Context | None) -> None:
    """Take notice of a span that starts: call it from a span processor's ``on_start``.

    A model call that another library reports, such as an SDK itself, is then not reported by the
    frameworks above it. The span gets the identity that the application has set.
    """
    mark = _loaded(_IDENTITY, "mark_span")
    if mark is not None:
        mark(span, parent_context, _trusted_names())
    notice = _loaded(_OWNERSHIP, "notice_span")
    if notice is not None:
        notice(span, parent_context)


def identity_of(context: Context | None) -> Mapping[str, str]:
    """Return the attributes that the application has set for all that is done in ``context``.

    Set them on each log record, from a log record processor's ``on_emit``.

    Args:
        context: The context of the record; None is the current one.
    """
    found = _loaded(_IDENTITY, "identity_in")
    return {} if found is None else found(context, _trusted_names())


@lru_cache(maxsize=1)
def _trusted_names() -> tuple[str, ...]:
    """Return the names that are taken from incoming baggage."""
    from .settings import Settings

    return Settings.read().identity_from_baggage


def is_discarded(span: object) -> bool:
    """Return whether ``span`` belongs to an operation that was discarded."""
    discarded = _loaded(_OPERATIONS, "DISCARDED")
    return discarded is not None and span in discarded


def is_gated(scope: str) -> bool:
    """Return whether an instrumentor on our core has that scope, so that its content is decided."""
    gated = _loaded(_TELEMETRY, "GATED_SCOPES")
    return gated is not None and scope in gated


def missing_hooks() -> list[str]:
    """Return a sentence for each hook in the settings that cannot be found; runs none of them."""
    from ._core.hooks import availability, completion, redaction
    from .settings import Settings

    settings = Settings.read()
    names = (
        (redaction.named, settings.redaction_hook),
        (completion.named, settings.completion_hook),
    )
    hooks = (named(name) for named, name in names if name is not None)
    return [why for hook in hooks if (why := availability.why_missing(hook)) is not None]


def foreign_content(settings: Settings) -> ForeignContent:
    """Return what bounds and redacts the content of other libraries' telemetry.

    It imports expensive modules: call it when there is such content, and it may leave the process.
    """
    from ._core.telemetry.foreign import ForeignContent

    return ForeignContent(settings)


def _loaded(module: str, name: str) -> Any:
    """Return ``name`` of a module if it is imported; None if not, or not completely.

    A signal may arrive while a module is being imported, and must not wait for it.
    """
    return getattr(sys.modules.get(module), name, None)

"""Blocks that are entered by ``with``."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.calls.around import begin
from otel_agents.instrumentors._core.calls.reporting import (
    CallObserver,
    report_exhausted,
    report_failure,
)
from otel_agents.instrumentors._core.context.scope import is_suppressed
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.errors import guarded
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from ._emitting import telemetry
from ._operations import block_start
from ._references import reference_to

if TYPE_CHECKING:
    from ._blocks import Block

__all__ = ["Entry", "enter", "entry_of", "leave", "left"]


class Entry:
    """One time that a block was entered.

    Attributes:
        observer: What records it; None if nothing does, and once it is left.
        outer: The context around it.
        above: The entry around it.
    """

    __slots__ = ("above", "observer", "outer")

    def __init__(self, observer: CallObserver | None, outer: Context, above: Entry | None) -> None:
        self.observer: Any = observer
        self.outer = outer
        self.above = above


_ENTRY: Final = Slot("entered-block", Entry)
"""Only in the context that is attached, not in the operation's own, which would be a cycle."""


@guarded("entering a block")
def enter(block: Block) -> Entry | None:
    """Start what ``block`` records, and make it current; None if that fails.

    It is current even if nothing is recorded: another task may record in the same block.
    """
    observer = None if is_suppressed() else begin(block_start, block, telemetry())
    outer = get_current()
    entry = Entry(observer, outer, _ENTRY.get(outer))
    attach(_ENTRY.set(entry, outer if observer is None else observer.context))
    return entry


def entry_of(entries: Sequence[Entry]) -> Entry | None:
    """Return which of the ``entries`` of a block the caller is in: several tasks may share it.

    That is the innermost of the current context. Elsewhere, as in a thread without that context, it
    is the last one.
    """
    entries = tuple(entries)  # other threads change it meanwhile
    entry = _ENTRY.get()
    while entry is not None and entry not in entries:
        entry = entry.above
    return entry or next(reversed(entries), None)


_LEFT: Final = ContextVar[tuple[tuple[Sequence[Entry], str], ...]]("left-blocks", default=())
"""The blocks that this thread or task has left, each by its entries, with the reference to it."""
_MOST_LEFT: Final = 16


def leave(entries: Sequence[Entry], entry: Entry, error: BaseException | None) -> str:
    """Leave a block, with what it raised; return the reference to what it recorded."""
    reference = _leave(entry, error)
    others = [it for it in _LEFT.get() if it[0] is not entries]
    _LEFT.set(((entries, reference), *others[: _MOST_LEFT - 1]))
    return reference


def left(entries: Sequence[Entry]) -> str | None:
    """Return the reference to what the caller recorded when it left a block; None if it did not."""
    return next((reference for it, reference in _LEFT.get() if it is entries), None)


@guarded("leaving a block", "")
def _leave(entry: Entry, error: BaseException | None) -> str:
    """End what was started, with what the block raised; return the reference to it.

    The context is restored if it is that of the block, or of something in it. A generator may be
    closed elsewhere, in the middle of other work, whose context stays.
    """
    current = _ENTRY.get()
    while current is not None and current is not entry:
        current = current.above
    if current is entry:
        attach(entry.outer)
    observer, entry.observer = entry.observer, None
    if observer is None:
        return ""
    if error is None:
        report_exhausted(observer)
    elif isinstance(error, GeneratorExit):
        finalization.current().closed(observer)
    else:
        report_failure(observer, error)
    return reference_to(observer)


hide_frames(globals())

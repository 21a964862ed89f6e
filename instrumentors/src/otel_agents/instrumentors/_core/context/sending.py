"""Whether the operation around the current code has sent a request.

An SDK may refuse the arguments of a call after its operation has started: it sends nothing, so no
model was called and the operation is discarded.
"""

from __future__ import annotations

import weakref
from typing import Any, Final, Protocol

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span

from otel_agents.instrumentors._core.current_context import CURRENT

from .slots import Slot, add

__all__ = ["Sender", "expect_sending", "sender", "sending"]


class Sender(Protocol):
    """An operation that sends a request."""

    context: Context
    recording: bool
    sent: bool
    span: Span


_REFERENCE: Final[Any] = weakref.ReferenceType  # by this name a type checker does not narrow a type
_SENDER: Final = Slot[Any]("sender", weakref.ReferenceType)
"""Weak, since the operation's context holds this."""


def expect_sending(operation: Sender) -> None:
    """Discard ``operation`` if it fails before its context reaches `sending`."""
    operation.sent = False
    if operation.recording and operation.span is not INVALID_SPAN:
        # A hot path: with its span it made a context that nobody else has yet.
        add(operation.context, _SENDER.key, weakref.ref(operation))
    else:
        operation.context = _SENDER.set(weakref.ref(operation), operation.context)


def sender() -> Any:
    """Return the operation that expects to send; None if there is none."""
    reference: Any = CURRENT.get().get(_SENDER.key)  # a hot path: `Slot.get`, without its call
    return reference() if isinstance(reference, _REFERENCE) else None


def sending() -> Any:
    """Record that `sender` sends a request, and return it."""
    operation = sender()
    if operation is not None:
        operation.sent = True
    return operation

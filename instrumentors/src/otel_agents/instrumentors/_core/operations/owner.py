"""Who owns an operation: decided before its span starts, and consulted again at its end.

One response is one inference span, whoever emits it. For our own calls we emit the span. If an
official instrumentation has announced the call in the context, we hand our attributes over to it.
If a foreign span covers the call, we emit only its metrics and event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.context import official
from otel_agents.instrumentors._core.context.scope import Scope
from otel_agents.semconv.values import Operation

__all__ = ["FOREIGN_SPAN", "OURS", "OfficialCall", "Owner", "owner_of"]


class Owner:
    """Decides who reports an operation.

    An owner decides three things: whether we emit the span, and with it the context in which the
    operation works; whether we emit metrics, event and content; and where the attributes go
    otherwise.
    """

    __slots__ = ()

    has_span: ClassVar[bool] = True
    """Whether we emit a span, which is current in the operation's context."""

    emits: ClassVar[bool] = True
    """Whether we emit metrics, event and content."""

    def receive(self, attributes: Mapping[str, Any]) -> None:
        """Take the attributes of an operation that ends and emits nothing."""


class _ForeignSpan(Owner):
    __slots__ = ()
    has_span = False


class OfficialCall(Owner):
    """An official instrumentation above has announced the call, and reports it.

    Args:
        data: Its data object in the context, to be filled in.
    """

    __slots__ = ("_data",)
    has_span = False
    emits = False

    def __init__(self, data: object) -> None:
        self._data = data

    def receive(self, attributes: Mapping[str, Any]) -> None:
        """Hand ``attributes`` over to the official call."""
        official.fill(self._data, attributes)


OURS: Final = Owner()
"""The visible layer nearest to the provider is one of our instrumentors; the default."""

FOREIGN_SPAN: Final = _ForeignSpan()
"""A foreign span covers the call; we emit only its metrics and event."""


def owner_of(operation: Operation, scope: Scope, parent: Context) -> Owner:
    """Return the owner of a model call that starts in ``parent``, whose scope is ``scope``."""
    data = official.find(operation, parent)
    if data is not None:
        return OfficialCall(data)
    return FOREIGN_SPAN if scope.foreign_span else OURS

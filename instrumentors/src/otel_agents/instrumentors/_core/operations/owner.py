"""Who owns an operation: decided before its span starts, and asked again at its end.

A response is one inference span, whoever made it. What is ours has a span of ours. An official
instrumentation that has announced the call in the context gets what we know instead. Where somebody
else has a span for the call there is no second one; its metrics and its event are ours.
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
    """One answer to the question who reports an operation.

    An owner answers three things: whether the span is ours, and with it the context in which the
    operation works; whether metrics, event and content are ours; and where the attributes go if
    they are not.
    """

    __slots__ = ()

    has_span: ClassVar[bool] = True
    """Whether there is a span of ours, which is current in the operation's context."""

    emits: ClassVar[bool] = True
    """Whether metrics, event and content are ours to emit."""

    def receive(self, attributes: Mapping[str, Any]) -> None:
        """The operation ends, and nothing is emitted: where its attributes go."""


class _ForeignSpan(Owner):
    __slots__ = ()
    has_span = False


class OfficialCall(Owner):
    """An official instrumentation around us has announced the call, and reports it.

    Args:
        data: What it keeps in the context, to be filled in.
    """

    __slots__ = ("_data",)
    has_span = False
    emits = False

    def __init__(self, data: object) -> None:
        self._data = data

    def receive(self, attributes: Mapping[str, Any]) -> None:
        """They go to the official call."""
        official.fill(self._data, attributes)


OURS: Final = Owner()
"""The visible layer nearest to the provider is an instrumentor of ours; so is what is no model call."""

FOREIGN_SPAN: Final = _ForeignSpan()
"""Somebody else has a span for the call; its metrics and its event are nobody else's."""


def owner_of(operation: Operation, scope: Scope, parent: Context) -> Owner:
    """The owner of a model call that starts in ``parent``, whose scope is ``scope``."""
    data = official.find(operation, parent)
    if data is not None:
        return OfficialCall(data)
    return FOREIGN_SPAN if scope.foreign_span else OURS

"""The shape of a span type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .requirements import Requirements
from .values import Operation

Kind = Literal["CLIENT", "SERVER", "INTERNAL"]


@dataclass(frozen=True)
class SpanType:
    """One type of span.

    Example:
        >>> from otel_agents.semconv.spans import SPAN_TYPES
        >>> SPAN_TYPES["gen_ai.client.inference"].subject
        'gen_ai.request.model'

    Attributes:
        type: Its id in the conventions; it is not on the wire.
        operations: The allowed values of ``gen_ai.operation.name``.
        kinds: The allowed span kinds.
        subject: The attribute that follows the operation in the name; None for the operation alone.
        attributes: The allowed attributes with their requirement levels.
        sampled: The attributes that are set at the start, for samplers.
    """

    type: str
    operations: tuple[Operation, ...]
    kinds: tuple[Kind, ...]
    subject: str | None
    attributes: Requirements
    sampled: tuple[str, ...] = ()

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

    Attributes:
        type: Its id in the conventions; it is not on the wire.
        operations: The values of ``gen_ai.operation.name`` that it may have.
        kinds: The span kinds that it may have.
        subject: The attribute that follows the operation in the name; None: the operation alone.
        attributes: What it may carry, and how strongly that is wanted.
        sampled: What is set at its start, for samplers to see.
    """

    type: str
    operations: tuple[Operation, ...]
    kinds: tuple[Kind, ...]
    subject: str | None
    attributes: Requirements
    sampled: tuple[str, ...] = ()

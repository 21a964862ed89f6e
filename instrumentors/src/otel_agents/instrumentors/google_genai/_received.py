"""JSON as it was received, for what the objects of older versions of the SDK leave out.

Before 3.1 these leave out the tokens of embeddings; before 1.8 thoughts and counts by modality;
before 1.4 the id of a response.
"""

from __future__ import annotations

import weakref
from typing import Any, Final, Protocol

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["receive", "receiving"]


class _Receiver(Protocol):
    """The operation of a request."""

    context: Context

    def receive(self, value: Any) -> None:
        """Record the JSON of a response or of a chunk, parsed or in a response of HTTP."""
        ...


_RECEIVER: Final = Slot[Any]("google-genai-receiver", weakref.ReferenceType)
"""The operation whose request is sent. Weak, since its context holds this."""


def receiving(operation: _Receiver) -> None:
    """Let ``operation`` receive what the client returns within its context."""
    operation.context = _RECEIVER.set(weakref.ref(operation), operation.context)


class _Reception(Observation):
    """A request of the client: its result is a response or a stream of them."""

    def __init__(self, receiver: _Receiver) -> None:
        super().__init__(returned=receiver.receive)
        self._receiver = receiver

    def chunk(self, item: Any) -> object:
        """Record an item of a stream."""
        self._receiver.receive(item)
        return None


def receive(telemetry: Telemetry, call: Call) -> Observation | None:
    """Start at a method of the client that sends a request of any kind."""
    reference = _RECEIVER.get()
    receiver = reference() if reference is not None else None
    return _Reception(receiver) if receiver is not None else None

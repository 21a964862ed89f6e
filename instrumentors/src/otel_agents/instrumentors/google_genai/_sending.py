"""What the client sends for an operation, and the JSON that it receives.

The methods that start an operation check their arguments first: a request that the SDK refuses is
no call of a model. The objects of older versions leave something out: before 3.1 the tokens of
embeddings, before 1.8 thoughts and counts by modality, before 1.4 the id of a response.
"""

from __future__ import annotations

import weakref
from typing import Any, Final, Protocol

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["Sender", "send", "send_and_receive", "sending"]


class Sender(Protocol):
    """The operation of a request."""

    context: Context
    sent: bool

    def receive(self, value: Any) -> None:
        """Record the JSON of a response or of a chunk, parsed or in a response of HTTP."""
        ...


_SENDER: Final = Slot[Any]("google-genai-sender", weakref.ReferenceType)
"""The operation whose request is sent. Weak, since its context holds this."""


def sending(operation: Sender) -> None:
    """Let ``operation`` notice what the client sends within its context."""
    operation.context = _SENDER.set(weakref.ref(operation), operation.context)


def _sent() -> Sender | None:
    reference = _SENDER.get()
    sender: Sender | None = reference() if reference is not None else None
    if sender is not None:
        sender.sent = True
    return sender


def send(telemetry: Telemetry, call: Call) -> None:
    """Start at a method of the client that sends a request of any kind."""
    _sent()


class _Reception(Observation):
    """A request of the client: its result is a response or a stream of them."""

    def __init__(self, sender: Sender) -> None:
        super().__init__(returned=sender.receive)
        self._sender = sender

    def chunk(self, item: Any) -> object:
        """Record an item of a stream."""
        self._sender.receive(item)
        return None


def _receive(telemetry: Telemetry, call: Call) -> Observation | None:
    sender = _sent()
    return _Reception(sender) if sender is not None else None


send_and_receive: Final[Start] = _receive
"""The same for versions whose objects leave something out."""

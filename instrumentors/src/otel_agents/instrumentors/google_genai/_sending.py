"""What the client sends for an operation, and the JSON that it receives.

The methods that start an operation check their arguments first: a request that the SDK refuses is
no call of a model. The objects of older versions leave something out: before 3.1 the tokens of
embeddings, before 1.8 thoughts and counts by modality, before 1.4 the id of a response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Bindable, Call, Start
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.calls.watching import watch_by_arguments
from otel_agents.instrumentors._core.context.sending import sending
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["send", "send_and_receive"]


def _send(telemetry: Telemetry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    sending()


send: Final[Bindable] = watch_by_arguments(_send)
"""Watches a method of the client that sends a request of any kind."""


class _Reception(Observation):
    """A request of the client: its result is a response or a stream of them."""

    def __init__(self, receive: Callable[[Any], object]) -> None:
        super().__init__(returned=receive)
        self._receive = receive

    def chunk(self, item: Any) -> object:
        """Record an item of a stream."""
        self._receive(item)
        return None


def _receive(telemetry: Telemetry, call: Call) -> Observation | None:
    operation = sending()
    return _Reception(operation.receive) if operation is not None else None


send_and_receive: Final[Start] = _receive
"""The same for versions whose objects leave something out."""

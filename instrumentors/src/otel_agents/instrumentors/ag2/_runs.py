"""Runs of a network: what one message sets off, until everything that came of it was handled."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.context.identity import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import InvokeWorkflow
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._conversations import with_delivery
from ._messages import said

__all__ = ["Run", "is_agent", "runs"]

_CONSULTING: Final = "consulting"
"""One agent is asked by another, which waits for the answer: no workflow."""
_AGENT: Final = "agent"
_LIMIT: Final = 4096


class Run:
    """What one message to a channel sets off; over when nothing is on its way or being handled."""

    def __init__(
        self, telemetry: Telemetry, hub: Any, envelope: Any, metadata: Any, context: Context
    ) -> None:
        self.hub = hub
        self._pending = 0
        self._lock = threading.RLock()
        self._channel: str = metadata.channel_id
        self._workflow: InvokeWorkflow | None = None
        self._said: Any = None
        if conversation_id(context) is None:
            context = with_conversation_id(self._channel, context)
        if _is_workflow(hub, metadata):
            self._workflow = InvokeWorkflow(telemetry, None, parent=context)
            if telemetry.gate.wanted:
                self._workflow.content.input_messages = said("user", envelope)
            context = self._workflow.context
        self.context: Context = with_delivery(self, context)

    def hold(self) -> None:
        """A message is on its way, or is being handled."""
        with self._lock:
            self._pending += 1

    def release(self) -> None:
        """A message was handled."""
        with self._lock:
            self._pending -= 1
            over = self._pending == 0
        if over:
            self.end()

    def keep(self, envelope: Any) -> None:
        """Keep what was said last."""
        self._said = envelope

    def end(self) -> None:
        """End; the second call does nothing."""
        runs.drop(self._channel, self)
        workflow, self._workflow = self._workflow, None
        if workflow is None:
            return
        if self._said is not None and workflow.telemetry.gate.wanted:
            workflow.content.output_messages = said("assistant", self._said)
        workflow.end()


def is_agent(hub: Any, identity: str) -> bool:
    """Whether a participant is an agent, and no human."""
    return getattr(hub._passports.get(identity), "effective_kind", None) == _AGENT


def _is_workflow(hub: Any, metadata: Any) -> bool:
    """Whether several agents may take turns in the channel."""
    agents = [one for one in metadata.participants if is_agent(hub, one.agent_id)]
    return len(agents) > 1 and metadata.manifest.type != _CONSULTING


class _Runs:
    """The runs that are not over, by channel, and the contexts of the messages on their way."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._by_channel: OrderedDict[str, Run] = OrderedDict()
        self._on_the_way: OrderedDict[tuple[str, str], tuple[Context, Run | None]] = OrderedDict()

    def find(self, channel: str) -> Run | None:
        return self._by_channel.get(channel)

    def add(self, channel: str, run: Run) -> None:
        with self._lock:
            self._by_channel[channel] = run
            oldest = next(iter(self._by_channel.values()))
        if len(self._by_channel) > _LIMIT:
            oldest.end()

    def drop(self, channel: str, run: Run) -> None:
        with self._lock:
            if self._by_channel.get(channel) is run:
                del self._by_channel[channel]

    def of(self, hub: Any) -> list[Run]:
        with self._lock:
            return [run for run in self._by_channel.values() if run.hub is hub]

    def send(self, frame: Any, context: Context, run: Run | None) -> None:
        if run is not None:
            context = run.context
            run.hold()
        with self._lock:
            self._on_the_way[_key(frame)] = (context, run)
            forgotten = None
            if len(self._on_the_way) > _LIMIT:
                _, (_, forgotten) = self._on_the_way.popitem(last=False)
        if forgotten is not None:
            forgotten.release()

    def receive(self, frame: Any) -> tuple[Context, Run | None] | None:
        with self._lock:
            return self._on_the_way.pop(_key(frame), None)


runs: Final = _Runs()


def _key(frame: Any) -> tuple[str, str]:
    return frame.envelope.envelope_id, frame.recipient_id

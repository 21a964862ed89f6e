"""Runs of a network: all turns that one message causes, until each message is handled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.forking import Lock
from otel_agents.instrumentors._core.operations import InvokeWorkflow
from otel_agents.instrumentors._core.tables import A_DAY, Bounded
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message

from ._messages import envelope_message

if TYPE_CHECKING:
    from ag2.network import ChannelMetadata, Envelope, Hub

__all__ = ["CURRENT_RUN", "LIMIT", "RUNS", "NetworkRun", "is_agent"]

_CONSULTING: Final = "consulting"
"""A channel type: one agent calls another and waits for the response, which is no workflow."""
_AGENT: Final = "agent"
LIMIT: Final = 4096
"""How many runs, and how many deliveries, are kept."""
_count_lock: Final = Lock()


class NetworkRun:
    """What one message to a channel causes; ends when no message is in transit or in handling."""

    def __init__(
        self,
        telemetry: Telemetry,
        hub: Hub,
        envelope: Envelope,
        metadata: ChannelMetadata,
        context: Context,
    ) -> None:
        self.hub = hub
        self._holds = 0
        self._channel: str = metadata.channel_id
        self._workflow: InvokeWorkflow | None = None
        self._last_message: list[Message] | None = None
        if conversation_id(context) is None:
            context = with_conversation_id(self._channel, context)
        if _is_workflow(hub, metadata):
            self._workflow = InvokeWorkflow(
                telemetry, None, input=envelope_message("user", envelope), parent=context
            )
            context = self._workflow.context
        self.context: Context = CURRENT_RUN.set(self, context)
        RUNS.put(self._channel, self)

    def hold(self) -> Observation:
        """Keep the run open while a message is in transit or in handling, until that ends."""
        with _count_lock:
            self._holds += 1
        return Observation(self.context, ended=self._release)

    def _release(self) -> None:
        with _count_lock:
            self._holds -= 1
            over = self._holds == 0
        if over:
            self.end()

    def keep_message(self, envelope: Envelope) -> None:
        """Keep a message: the last one is the output of the workflow."""
        workflow = self._workflow
        if workflow is not None and workflow.content.enabled:
            self._last_message = envelope_message("assistant", envelope)()

    def end(self) -> None:
        """End the run; later calls do nothing."""
        if RUNS.get(self._channel) is self:
            RUNS.pop(self._channel)
        workflow, self._workflow = self._workflow, None
        if workflow is None:
            return
        workflow.content.output_messages = self._last_message
        workflow.end()


RUNS: Final[Bounded[str, NetworkRun]] = Bounded(LIMIT, evicted=NetworkRun.end, seconds=A_DAY)
"""The open runs, by channel."""

CURRENT_RUN: Final = Slot("ag2-network-run", NetworkRun)
"""The run of the network message that is handled in the context."""


def is_agent(hub: Hub, agent_id: str) -> bool:
    """Return whether a participant is an agent and not a human."""
    passports = hub._passports  # pyright: ignore[reportPrivateUsage]  no public lookup is sync
    return getattr(passports.get(agent_id), "effective_kind", None) == _AGENT


def _is_workflow(hub: Hub, metadata: ChannelMetadata) -> bool:
    """Return whether several agents may take turns in the channel."""
    agents = [one for one in metadata.participants if is_agent(hub, one.agent_id)]
    return len(agents) > 1 and metadata.manifest.type != _CONSULTING

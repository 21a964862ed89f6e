"""Runs of a network: what one message sets off, until everything that came of it was handled."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.forking import Lock
from otel_agents.instrumentors._core.operations import InvokeWorkflow
from otel_agents.instrumentors._core.tables import A_DAY, Bounded
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message

from ._messages import said

__all__ = ["DELIVERY", "LIMIT", "RUNS", "Run", "is_agent"]

_CONSULTING: Final = "consulting"
"""One agent is asked by another, which waits for the answer: no workflow."""
_AGENT: Final = "agent"
LIMIT: Final = 4096
"""How many runs, and messages on their way, are known."""
_counting: Final = Lock()


class Run:
    """What one message to a channel sets off; over when nothing is on its way or being handled."""

    def __init__(
        self, telemetry: Telemetry, hub: Any, envelope: Any, metadata: Any, context: Context
    ) -> None:
        self.hub = hub
        self._pending = 0
        self._channel: str = metadata.channel_id
        self._workflow: InvokeWorkflow | None = None
        self._said: list[Message] | None = None
        if conversation_id(context) is None:
            context = with_conversation_id(self._channel, context)
        if _is_workflow(hub, metadata):
            self._workflow = InvokeWorkflow(
                telemetry, None, input=said("user", envelope), parent=context
            )
            context = self._workflow.context
        self.context: Context = DELIVERY.set(self, context)
        RUNS.put(self._channel, self)

    def hold(self) -> Observation:
        """A part of the run: a message on its way, or being handled; let go when it ends."""
        with _counting:
            self._pending += 1
        return Observation(self.context, ended=self._release)

    def _release(self) -> None:
        with _counting:
            self._pending -= 1
            over = self._pending == 0
        if over:
            self.end()

    def keep(self, envelope: Any) -> None:
        """Keep what was said last."""
        workflow = self._workflow
        if workflow is not None and workflow.content.enabled:
            self._said = said("assistant", envelope)()

    def end(self) -> None:
        """End; the second call does nothing."""
        if RUNS.get(self._channel) is self:
            RUNS.pop(self._channel)
        workflow, self._workflow = self._workflow, None
        if workflow is None:
            return
        workflow.content.output_messages = self._said
        workflow.end()


RUNS: Final[Bounded[str, Run]] = Bounded(LIMIT, evicted=Run.end, seconds=A_DAY)
"""The runs that are not over, by channel."""

DELIVERY: Final = Slot("ag2-delivery", Run)
"""The run that a message of a network, which is handled in the context, is part of."""


def is_agent(hub: Any, identity: str) -> bool:
    """Whether a participant is an agent, and no human."""
    return getattr(hub._passports.get(identity), "effective_kind", None) == _AGENT


def _is_workflow(hub: Any, metadata: Any) -> bool:
    """Whether several agents may take turns in the channel."""
    agents = [one for one in metadata.participants if is_agent(hub, one.agent_id)]
    return len(agents) > 1 and metadata.manifest.type != _CONSULTING
